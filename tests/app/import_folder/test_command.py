"""`icf import folder`: from folders to all that reads labels."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.app.init import make_workspace
from icf.catalogue import schema
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels.confirmed import read_confirmed
from icf.catalogue.labels.given_boxes import GIVEN
from icf.codes import FaceReason
from icf.workspace import Workspace
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.forked import Forked
from tests.app.import_coco.coco_files import write_picture
from tests.app.program import call, program, said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two characters of one album, and one picture that both show."""
    root = tmp_path / "albums"
    for number in range(4):
        write_picture(root / "Sea" / f"Luna{number % 2}" / f"{number}.png", number)
    shutil.copyfile(root / "Sea" / "Luna0" / "0.png", root / "Sea" / "Luna1" / "x.png")
    return root


def bring(space: Workspace, *words: object) -> dict[str, Any]:
    return said("-C", space.root, "import", "folder", *words)


def labels_of(space: Workspace) -> set[tuple[str, str, float, float]]:
    """Which pictures show whom, and the size of the box."""
    face, character, image = schema.face, schema.character, schema.image
    query = sa.select(
        *(face.c.id, image.c.sha256, face.c.x2 - face.c.x1, face.c.y2 - face.c.y1)
    ).join(image, image.c.id == face.c.image_id)
    with space.catalogue.read() as connection:
        owners = read_confirmed(connection).owners
        names = dict(
            connection.execute(sa.select(character.c.id, character.c.name)).all()
        )
        return {
            (sha256, names[owners[key]], width, height)
            for key, sha256, width, height in connection.execute(query)
            if key in owners
        }


def test_new_faces_do_not_get_what_is_stored_of_others(
    empty: Workspace, root: Path
) -> None:
    # As after a backup of the catalogue was put in its place.
    empty.vectors.append("a" * 64, np.arange(1, 9), np.ones((8, 2), np.float32))
    bring(empty, root)
    assert not len(empty.vectors.ids("a" * 64))


def test_the_whole_picture_is_the_face(empty: Workspace, root: Path) -> None:
    done = bring(empty, root)
    files = {"in": 5, "imported": 5, "known": 0, "withdrawn": 0, "refused": {}}
    assert done["files"] == files
    # The picture that is of two characters is confirmed as neither.
    assert {(name, *size) for _, name, *size in labels_of(empty)} == {
        ("Luna0", 144, 144),
        ("Luna1", 144, 144),
    }
    assert len(labels_of(empty)) == 3
    with empty.catalogue.read() as connection:
        detectors = set(connection.execute(sa.select(schema.face.c.detector)).scalars())
        albums = list(connection.execute(sa.select(schema.album.c.name)).scalars())
    assert (detectors, albums) == ({GIVEN}, ["Sea"])
    assert (done["two_names"], done["copies"]) == (1, 1)
    again = bring(empty, root)
    assert again["files"] == {**files, "imported": 0, "known": 5}
    assert (again["two_names"], again["earlier_lists"], again["copies"]) == (0, 0, 0)


def test_equal_pictures_of_all_batches_and_imports_are_counted(
    empty: Workspace, root: Path, tmp_path: Path
) -> None:
    for number in range(70):
        shutil.copyfile(
            root / "Sea" / "Luna0" / "0.png", root / "Sea" / f"{number}.png"
        )
    assert bring(empty, root)["copies"] == 71
    shutil.copytree(root, tmp_path / "again")
    assert bring(empty, tmp_path / "again")["copies"] == 75
    shown = call("-C", empty.root, "import", "folder", root, "--name", "more").stdout
    assert re.search("with the bytes of another picture +75\n", shown)


def test_bytes_that_come_back_are_not_those_of_another_picture(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    for blob in (empty.root / "blobs").glob("*/*/*"):
        blob.unlink()
    done = bring(empty, root)
    assert (done["files"]["imported"], done["copies"]) == (5, 0)


def test_faces_of_a_folder_that_was_renamed_are_counted_as_named_twice(
    empty: Workspace, root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root, tmp_path / "copy" / root.name)
    again = tmp_path / "copy" / root.name
    bring(empty, root)
    known = len(labels_of(empty))
    (again / "Sea" / "Luna1").rename(again / "Sea" / "Lune")
    # One of the three belonged to neither before.
    assert bring(empty, again)["two_names"] == 3
    assert len(labels_of(empty)) == known - 2


def test_a_face_that_the_detector_finds_alone_is_the_character(
    empty: Workspace, tmp_path: Path
) -> None:
    files = good_files(6)
    for path, file in zip(write_pictures(tmp_path / "some", files), files, strict=True):
        place = tmp_path / "found" / "Sea" / f"{len(file.faces)} drawn"
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / path.name)
    write_picture(tmp_path / "found" / "Sea" / "Nobody" / "1.png", 1)
    done = bring(empty, tmp_path / "found", "--faces", "detect")
    assert done["left_out"]["a picture with no face"] == 1
    assert {name for _, name, *_ in labels_of(empty)} == {"1 drawn"}
    assert done["labels"] == len(labels_of(empty)) > 0
    with empty.catalogue.read() as connection:
        rows = connection.execute(sa.select(schema.face)).all()
    assert all(len(row.detector) == 64 and row.score < 1 for row in rows)
    assert {row.reason for row in rows} == {FaceReason.OK.value}


@pytest.mark.slow
def test_a_killed_import_is_completed_with_nothing_twice(tmp_path: Path) -> None:
    root = tmp_path / "many"
    for number in range(100):
        name = f"{number % 9}/{number}.png"
        write_picture(root / name, number, (48, 48))
    undisturbed, killed = (
        make_workspace(tmp_path / name, (), "") for name in ("whole", "killed")
    )
    bring(undisturbed, root)
    count = sa.select(sa.func.count()).select_from(schema.image)
    words = ("-C", killed.root, "import", "folder", root)
    process = Forked("icf", *words, folder=killed.root)
    while process.poll() is None:
        with killed.catalogue.read() as connection:
            if connection.execute(count).scalar_one():
                break
    process.kill()
    process.communicate()
    done = bring(killed, root)["files"]
    assert done["known"] + done["imported"] == 100
    assert labels_of(killed) == labels_of(undisturbed)
    for table in (schema.image, schema.url, schema.image_source, schema.answer):
        count = sa.select(sa.func.count()).select_from(table)
        for space in (undisturbed, killed):
            with space.catalogue.read() as connection:
                assert connection.execute(count).scalar_one() == 100
    undisturbed.catalogue.close()
    killed.catalogue.close()


@pytest.mark.slow
def test_postgresql_has_the_same_labels(
    empty: Workspace,
    root: Path,
    tmp_path: Path,
    postgres_catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bring(empty, root)
    expected = labels_of(empty)
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    other = make_workspace(tmp_path / "other", (), "")
    program("icf", "import", "folder", root, folder=other.root)
    assert labels_of(other) == expected
    other.catalogue.close()
