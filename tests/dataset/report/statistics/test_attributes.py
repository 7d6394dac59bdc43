from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.schema import face
from icf.dataset.report.counts import Bar
from icf.dataset.report.statistics.attributes import read_shown_attributes
from icf.workspace import Workspace
from tests.dataset.report.test_page import report


def describe(workspace: Workspace, yaws: Sequence[tuple[float, ...]]) -> None:
    """A face each, which one person after another sees turned so."""
    with workspace.catalogue.write() as connection:
        query = sa.select(face.c.id).order_by(face.c.id).limit(len(yaws))
        ids = list(connection.execute(query).scalars())
        rows = [
            {
                "face_id": key,
                "annotator": f"person {number}",
                "gender": "female",
                "yaw": yaw,
                "pitch": 0.0,
                "roll": 0.0,
                "occlusion": "part",
                "answered_at": 1.0,
            }
            for key, said in zip(ids, yaws, strict=True)
            for number, yaw in enumerate(said)
        ]
        connection.execute(sa.insert(attribute_answer), rows)


def counts(shown: Sequence[Bar]) -> dict[str, int]:
    return {each.name: each.count for each in shown}


def test_faces_that_two_people_described_are_counted(workspace: Workspace) -> None:
    describe(workspace, [(0, 20), (-40, -50), (95, 85), (170, -170), (0,)])
    with workspace.catalogue.read() as connection:
        found = read_shown_attributes(connection)
    assert found is not None
    assert found.faces == 4
    assert counts(found.view) == {
        "front": 1,
        "three-quarter": 1,
        "profile": 1,
        "from behind": 1,
    }
    assert counts(found.gender)["female"] == 4
    assert counts(found.occlusion)["part"] == 4
    assert found.yaw == pytest.approx((10 + 5 + 5 + 10) / 4)


def test_the_report_shows_them_where_there_are_some(
    workspace: Workspace, tmp_path: Path
) -> None:
    describe(workspace, [(0,)])
    assert "Faces by direction" not in report(workspace, tmp_path / "a.html").words
    with workspace.catalogue.write() as connection:
        connection.execute(sa.delete(attribute_answer))
    describe(workspace, [(10, 30)])
    words = report(workspace, tmp_path / "b.html").words
    assert "Two people or more described 1 face each" in words
    assert "10.0° from their mean" in words
