"""Pictures that were exported into the workspace go like the crops of batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.boxes.exchange.rows import picture_name
from icf.catalogue.schema import face, image, url
from icf.errors import SomeFailed
from icf.workspace import Workspace
from tests.app.program import call, said

PICTURE = "http://toons.test/1-1.jpg"
REASON = ("--reason", "asked by mail", "--yes")


def withdrawn(space: Workspace) -> Any:
    """The picture, with the id of its face."""
    query = (
        sa.select(image.c.id, image.c.sha256, face.c.id.label("face"))
        .select_from(image)
        .join(url, url.c.image_id == image.c.id)
        .join(face, face.c.image_id == image.c.id)
        .where(url.c.url == PICTURE)
    )
    with space.catalogue.read() as connection:
        return connection.execute(query).one()


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"pixels")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("place", ["batches/boxes", "mine"])
def test_whole_pictures_that_were_exported_to_be_boxed_are_removed(
    space: Workspace, place: str
) -> None:
    its = withdrawn(space)
    gone = f"{picture_name(its.id, its.sha256)}.jpg"
    others = [
        f"{picture_name(its.id, '0' * 64)}.jpg",
        f"{picture_name(its.id + 1, its.sha256)}.jpg",
        f"face-{its.face}.jpg",  # of whom, nobody says: it is no batch
        "holiday.jpg",
    ]
    folder = space.root / place
    write(folder / "pictures", gone, *others)
    found = said("-C", space.root, "takedown", PICTURE, *REASON, "--dry-run")
    exports = [{"folder": str(folder), "files": [f"pictures/{gone}"]}]
    assert found["exports"] == exports
    assert gone in names(folder / "pictures")
    shown = call("-C", space.root, "takedown", PICTURE, *REASON).stdout
    assert f"{folder} contained 1 files of what was withdrawn" in shown
    assert names(folder / "pictures") == sorted(others)


@pytest.mark.parametrize("place", [".", "pages"])
def test_the_pictures_beside_a_page_of_references_are_removed(
    space: Workspace, place: str
) -> None:
    its = withdrawn(space)
    folder = space.root / place / "references_pictures"
    other = f"face-{its.face + 1}.jpg"
    write(folder, f"face-{its.face}.jpg", f"image-{its.sha256}.jpg", other)
    said("-C", space.root, "takedown", PICTURE, *REASON)
    assert names(folder) == [other]


def test_a_persons_own_folder_of_that_name_is_left(space: Workspace) -> None:
    own = [f"face-{withdrawn(space).face}.jpg", "me.jpg"]
    write(space.root / "my_pictures", *own)
    said("-C", space.root, "takedown", PICTURE, *REASON)
    assert names(space.root / "my_pictures") == own


def test_an_export_elsewhere_is_changed_when_a_person_names_it(
    space: Workspace, tmp_path: Path
) -> None:
    its = withdrawn(space)
    folder = tmp_path / "elsewhere"
    gone = f"{picture_name(its.id, its.sha256)}.jpg"
    write(folder / "pictures", gone)
    said("-C", space.root, "takedown", PICTURE, *REASON, "--also", folder)
    assert names(folder / "pictures") == []


def test_an_export_that_cannot_be_changed_is_named(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = withdrawn(space)
    folder = space.root / "batches" / "boxes"
    write(folder / "pictures", f"{picture_name(its.id, its.sha256)}.jpg")
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.is_relative_to(folder):
            raise PermissionError("read-only")
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(SomeFailed, match=f"export {folder}: its copies cannot be"):
        said("-C", space.root, "takedown", PICTURE, *REASON)
