"""Training data of pictures whose boxes people verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.models.data.base import LabelledPicture
from icf.models.data.workspace import WorkspaceReader
from icf.workspace import Workspace
from tests.dataset.drawn import Drawing, Size


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    made = Drawing(tmp_path / "space", Size(albums=2, characters=3, faces=6)).draw()
    yield made
    made.catalogue.close()


def read(space: Workspace) -> dict[str, LabelledPicture]:
    read = WorkspaceReader(space.root).pictures()
    return {each.key: each for each in read if isinstance(each, LabelledPicture)}


def change(space: Workspace, statement: sa.Executable) -> None:
    with space.catalogue.write() as connection:
        connection.execute(statement)


def sha256_of(space: Workspace, image_id: int) -> str:
    query = sa.select(schema.image.c.sha256).where(schema.image.c.id == image_id)
    with space.catalogue.read() as connection:
        return str(connection.execute(query).scalar_one())


def test_boxes_are_those_of_people_and_identities_those_of_the_faces(
    space: Workspace,
) -> None:
    picture = read(space)[sha256_of(space, 2)]
    assert picture.complete
    assert picture.checked
    (face,) = picture.faces
    assert face.box == (30, 22, 130, 138)
    assert face.identity == "Album 1/Character 1-0"


def test_a_face_that_the_detector_missed_is_a_face_without_an_identity(
    space: Workspace,
) -> None:
    missed = {"image_id": 2, "x1": 1, "y1": 2, "x2": 20, "y2": 30}
    values = {**missed, "people": 2, "disagreement": 0.1}
    change(space, sa.insert(verified_box).values(**values))
    known, new = read(space)[sha256_of(space, 2)].faces
    assert known.identity is not None
    assert (new.box, new.identity, new.kind, new.ignored) == (
        (1, 2, 20, 30),
        None,
        "cartoon",
        False,
    )


def test_what_people_drew_no_box_around_is_background(space: Workspace) -> None:
    change(space, sa.delete(verified_box).where(verified_box.c.image_id == 2))
    picture = read(space)[sha256_of(space, 2)]
    assert picture.faces == ()
    assert picture.complete


def test_a_picture_that_people_disagree_on_is_read_as_before(space: Workspace) -> None:
    change(space, sa.update(box_task).values(status="disputed"))
    (face,) = read(space)[sha256_of(space, 2)].faces
    assert face.box == (30.25, 22, 130, 138)


def test_a_verified_picture_changes_the_fingerprint(space: Workspace) -> None:
    before = WorkspaceReader(space.root).fingerprint()
    moved = sa.update(verified_box).where(verified_box.c.id == 1)
    change(space, moved.values(x1=verified_box.c.x1 + 1))
    after = WorkspaceReader(space.root).fingerprint()
    assert after != before
    change(space, sa.update(box_task).values(status="open"))
    assert WorkspaceReader(space.root).fingerprint() not in (before, after)
