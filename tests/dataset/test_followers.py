"""Releases with faces that follow another one of their track."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.icartoonface.release_files import FOLLOWERS
from icf.workspace import Workspace, find


@pytest.fixture
def following(workspace: Workspace) -> set[int]:
    """Faces about which nobody was asked, each linked with one that is confirmed."""
    asked = sa.select(
        schema.question.c.id, schema.question.c.face_id, schema.question.c.character_id
    ).where(schema.question.c.label == "same")
    made = set()
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.character).values(reference_by="hand"))
        rows = connection.execute(asked.order_by(schema.question.c.id)).all()
        references = set(
            connection.execute(
                sa.select(schema.character.c.reference_face_id)
            ).scalars()
        )
        first: dict[int, int] = {}
        owners: set[int] = set()
        for row in rows:
            if row.face_id in references:
                continue
            other = first.setdefault(row.character_id, row.face_id)
            if other == row.face_id or row.character_id in owners:
                continue
            owners.add(row.character_id)
            one, two = sorted((other, row.face_id))
            link = {"face_id": one, "other_id": two, "same": True}
            connection.execute(sa.insert(schema.face_link), link)
            about = schema.answer.c.question_id == row.id
            connection.execute(sa.delete(schema.answer).where(about))
            connection.execute(
                sa.delete(schema.question).where(schema.question.c.id == row.id)
            )
            judged = sa.update(schema.face).where(schema.face.c.id == row.face_id)
            connection.execute(
                judged.values(character_id=row.character_id, probability=0.9)
            )
            made.add(row.face_id)
    return made


def test_by_default_nobody_follows_and_a_release_says_nothing_of_it(
    workspace: Workspace, following: set[int]
) -> None:
    prepared = prepare(workspace, 1)
    assert not following.intersection(prepared.plan.selection.faces.face.tolist())
    summary = json.loads(prepared.summary)
    assert set(summary["labels"]) == {"people", "unasked_references", "model"}
    assert "annotate" not in summary["settings"]


def test_followers_are_in_train_alone_counted_and_listed(
    workspace: Workspace, following: set[int], tmp_path: Path
) -> None:
    plain = prepare(workspace, 1)
    space = find(workspace.root, ("annotate.tracks=follow",))
    prepared = prepare(space, 1)
    assert prepared.plan.selection.followers == following
    assert prepared.inputs != plain.inputs
    summary = json.loads(prepared.summary)
    assert summary["labels"]["followers"] == summary["counts"]["followers"]
    assert summary["labels"]["followers"] == len(following)
    assert summary["labels"]["followers_asked_nevertheless"] == {"asked": 0, "wrong": 0}
    assert summary["settings"]["annotate"] == {"tracks": "follow"}
    assert summary["labels"]["people"] == json.loads(plain.summary)["labels"]["people"]
    faces = prepared.plan.selection.faces.face
    tested = {int(faces[each.face]) for each in prepared.plan.test}
    assert not tested & following
    assert write(space, prepared, tmp_path / "out", 1)
    with (tmp_path / "out" / FOLLOWERS).open(newline="") as file:
        listed = {int(row["face"]) for row in csv.DictReader(file)}
    trained = {int(faces[each.face]) for each in prepared.plan.train}
    assert listed == following & trained
    assert listed
    space.catalogue.close()
