"""Releases with faces that nobody was asked about: the model is sure of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import calibrations, schema
from icf.catalogue.calibrations import Curve
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.selecting.select import select
from icf.icartoonface.release_files import ACCEPTED, RECTRAIN_FOLDER
from icf.workspace import Workspace, find
from tests.dataset.drawn import EMBEDDER, digest

RISK = "annotate.risk=0.05"


@pytest.fixture
def taken_back(workspace: Workspace) -> set[int]:
    """The faces about which nobody was asked after all; references are confirmed."""
    asked = sa.select(schema.question.c.id, schema.question.c.face_id)
    run_id = workspace.begin_run("test")
    with workspace.catalogue.write() as connection:
        rows = connection.execute(asked.where(schema.question.c.label == "same")).all()
        some = rows[::4]
        ids = [row.id for row in some]
        faces = {row.face_id for row in some}
        answers = schema.answer.c.question_id.in_(ids)
        connection.execute(sa.delete(schema.answer).where(answers))
        connection.execute(
            sa.delete(schema.question).where(schema.question.c.id.in_(ids))
        )
        connection.execute(sa.update(schema.character).values(reference_by="hand"))
        sure = sa.update(schema.face).where(schema.face.c.id.in_(faces))
        connection.execute(sure.values(probability=0.97))
        calibrations.add(
            connection, run_id, EMBEDDER, Curve(9, -4), answered=50, error=0, figures={}
        )
    return faces


def test_without_a_risk_nothing_is_accepted(
    workspace: Workspace, taken_back: set[int]
) -> None:
    prepared = prepare(workspace, 1)
    assert not prepared.plan.selection.accepted
    assert not taken_back.intersection(prepared.plan.selection.faces.face.tolist())
    labels = json.loads(prepared.summary)["labels"]
    assert labels["model"] == 0
    assert set(labels) == {"people", "unasked_references", "model"}
    assert "annotate" not in json.loads(prepared.summary)["settings"]


def test_accepted_faces_are_in_train_alone_counted_and_listed(
    workspace: Workspace, taken_back: set[int], tmp_path: Path
) -> None:
    before = prepare(workspace, 1)
    risky = find(workspace.root, (RISK,))
    prepared = prepare(risky, 1)
    selection = prepared.plan.selection
    assert selection.accepted == taken_back
    assert prepared.inputs != before.inputs
    in_test = {int(selection.faces.face[each.face]) for each in prepared.plan.test}
    assert not in_test & taken_back
    in_train = {int(selection.faces.face[each.face]) for each in prepared.plan.train}
    listed = in_train & taken_back
    assert listed
    summary = json.loads(prepared.summary)
    labels, counts = summary["labels"], summary["counts"]
    assert labels["model"] == counts["accepted_faces"] == len(taken_back)
    assert labels["people"] == counts["confirmed_faces"]
    assert labels["accepted_at_probability"] == 0.95
    assert labels["accepted_and_asked_nevertheless"] == {"asked": 0, "wrong": 0}
    people = len(selection.faces.face) - len(taken_back)
    assert labels["people"] + labels["unasked_references"] == people
    assert write(risky, prepared, tmp_path / "out", 1)
    with (tmp_path / "out" / ACCEPTED).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["face"]) for row in rows} == listed
    train = digest(tmp_path / "out" / RECTRAIN_FOLDER)
    assert {Path(row["file"]).name for row in rows} <= {Path(p).name for p in train}
    readme = (tmp_path / "out" / "README.md").read_text()
    assert f"{len(taken_back):,} were accepted by the model" in readme
    proposed = prepare(risky, 1, boxes="proposed")
    truth = json.loads(proposed.summary)["detection_truth"]
    assert "or accepted by the embedder" in truth


def test_what_people_said_counts_more_than_the_model(
    workspace: Workspace, taken_back: set[int]
) -> None:
    with workspace.catalogue.read() as connection:
        whole = select(connection, risk=0.05)
        known = select(connection)
    answered = set(known.faces.face.tolist())
    assert set(whole.faces.face.tolist()) == answered | taken_back
    # All drawn faces have a probability of 0.9 or more, also the one people refused.
    with workspace.catalogue.read() as connection:
        more = select(connection, risk=0.1)
        refused = sa.select(schema.question.c.face_id).where(
            schema.question.c.label == "different"
        )
        assert not more.accepted & set(connection.execute(refused).scalars())
