from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.labels.confirmed import read_confirmed
from icf.dataset.report.statistics.faces import Faces, read_faces
from icf.workspace import Workspace
from tests.dataset.drawn import EMBEDDER


def read(workspace: Workspace) -> Faces:
    with workspace.catalogue.read() as connection:
        return read_faces(connection)


def test_they_are_the_faces_that_people_confirmed_with_their_identity(
    workspace: Workspace,
) -> None:
    found = read(workspace)
    with workspace.catalogue.read() as connection:
        confirmed = read_confirmed(connection).asked()
    assert found.confirmed
    owners = dict(zip(found.face.tolist(), found.identity.tolist(), strict=True))
    assert owners == dict(confirmed.owners)
    assert list(found.face) == sorted(found.face)
    assert set(found.side) == {99.75}
    assert found.embedders == (EMBEDDER,)
    assert (np.isnan(found.brightness)).all()
    assert found.per_identity().sum() == len(found)


def test_a_merged_character_counts_with_the_one_it_is(workspace: Workspace) -> None:
    before = read(workspace)
    with workspace.catalogue.write() as connection:
        two = schema.character.c.id == 2
        connection.execute(sa.update(schema.character).where(two).values(merged_into=1))
    after = read(workspace)
    assert len(after) == len(before)
    assert 2 in before.identity
    assert 2 not in after.identity


def test_a_face_that_is_confirmed_for_two_belongs_to_neither(
    workspace: Workspace,
) -> None:
    before = read(workspace)
    with workspace.catalogue.write() as connection:
        labelled_same = schema.question.c.label == "same"
        confirmed = sa.select(schema.question).where(labelled_same).limit(1)
        row = connection.execute(confirmed).one()
        other = {**row._mapping, "id": None, "character_id": 7}
        connection.execute(sa.insert(schema.question).values(other))
    after = read(workspace)
    assert set(before.face) - set(after.face) == {row.face_id}


def test_before_anybody_answered_they_are_those_that_the_filter_kept(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.question).values(label="open"))
        face = schema.face.c
        kept = sa.select(face.id).where(face.verdict == "kept")
        ids = set(connection.execute(kept).scalars())
    found = read(workspace)
    assert not found.confirmed
    assert set(found.face) == ids


def test_an_empty_catalogue_has_none(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.question).values(label="open"))
        connection.execute(sa.update(schema.face).values(verdict="pending"))
    assert len(read(workspace)) == 0
