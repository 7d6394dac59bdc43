"""`icf import coco`: from annotation files to all that reads labels."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from PIL import Image

from icf.app.cli import cli
from icf.app.init import make_workspace
from icf.catalogue import schema
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels.given_boxes import GIVEN, GIVEN_ALL
from icf.errors import SomeFailed
from icf.models.data.base import LabelledPicture
from icf.models.data.workspace import WorkspaceReader
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import (
    annotation,
    content,
    image,
    write_json,
    write_picture,
)
from tests.app.program import program, said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six pictures: one is damaged, one missing, one turned, one of another size."""
    root = tmp_path / "coco"
    for number in range(4):
        write_picture(root / "images" / f"{number}.jpg", number)
    cut = root / "images" / "0.jpg"
    cut.write_bytes(cut.read_bytes()[:300])
    turn(write_picture(root / "images" / "4.jpg", 4, (200, 144)))
    names = [image(number, f"{number}.jpg") for number in range(6)]
    names[4] |= {"width": 200, "height": 144, "license": 1}
    names[3] |= {"width": 99}
    faces = [
        annotation(0),
        annotation(1, character="Luna"),
        annotation(2, iscrowd=1),
        annotation(2, [500, 500, 9, 9]),
        annotation(2, attributes={"character": "Sol", "album": "Sea"}),
        annotation(3),
        annotation(4, [10, 20, 30, 40], category_id=2),
    ]
    licence = {"id": 1, "name": "CC0"}
    write_json(root / "a.json", content(names, faces, licenses=[licence]))
    return root


def turn(path: Path) -> None:
    """Say in the EXIF of a picture that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as picture:
        picture.save(path, exif=exif)


def bring(space: Workspace, *words: object) -> Any:
    """Import with faults, and return what is printed."""
    line = ("-C", space.root, "import", "coco", *words, "--json")
    done = CliRunner().invoke(cli, [str(word) for word in line])
    assert isinstance(done.exception, SomeFailed), done.output
    return json.loads(done.stdout)


def faces(space: Workspace) -> list[sa.Row[Any]]:
    face, character, album = schema.face, schema.character, schema.album
    columns = face.c.x1, face.c.y1, face.c.x2, face.c.y2, face.c.kind, face.c.detector
    query = (
        sa.select(*columns, album.c.name, character.c.name)
        .join(character, character.c.id == face.c.filed_under_id)
        .join(album, album.c.id == character.c.album_id)
        .order_by(face.c.x1, face.c.kind, album.c.name)
    )
    with space.catalogue.read() as connection:
        return list(connection.execute(query))


def fate_of(space: Workspace, name: str) -> str:
    where = f"coco://coco/a.json/{name}"
    return str(said("-C", space.root, "why", where)["fate"])


def test_every_picture_ends_in_one_status_and_boxes_are_upright(
    empty: Workspace, root: Path
) -> None:
    done = bring(empty, root, "--licence", "CC BY 4.0")
    assert done["files"] == {
        "in": 6,
        "imported": 3,
        "known": 0,
        "withdrawn": 0,
        "refused": {"truncated": 1, "unreadable": 1, "wrong_size": 1},
    }
    assert done["left_out"] == {"a crowd": 1, "a box outside its picture": 1}
    assert (done["faces"], done["labels"]) == (3, 2)
    assert [tuple(row) for row in faces(empty)] == [
        (10, 20, 114, 120, "cartoon", GIVEN, "Sea", "Sol"),
        (10, 20, 114, 120, "cartoon", GIVEN_ALL, "coco", "Luna"),
        (84, 10, 124, 40, "human", GIVEN_ALL, "coco, not named", "not named"),
    ]
    with empty.catalogue.read() as connection:
        rows = connection.execute(sa.select(schema.image_source)).all()
        names = set(connection.execute(sa.select(schema.answer.c.annotator)).scalars())
    licences = Counter((row.licence, row.licence_from) for row in rows)
    assert licences == {("CC BY 4.0", "import"): 2, ("CC0", "list"): 1}
    assert names == {"coco"}
    assert fate_of(empty, "0.jpg") == "truncated"
    assert fate_of(empty, "3.jpg") == "corrupt"
    write_picture(root / "images" / "0.jpg", 0)
    assert bring(empty, root)["files"]["imported"] == 1
    assert fate_of(empty, "0.jpg") == "stored"
    with empty.catalogue.read() as connection:
        stored = sa.select(schema.url.c.licence, schema.url.c.expected_bytes).where(
            schema.url.c.fate == "stored"
        )
        said_of = connection.execute(stored).all()
    assert all(all(row) for row in said_of)


def test_a_second_run_changes_nothing(empty: Workspace, root: Path) -> None:
    bring(empty, root)
    again = bring(empty, root)
    assert again["files"]["known"] == 3
    assert again["files"]["imported"] == again["faces"] == again["labels"] == 0
    assert len(faces(empty)) == 3


def test_known_pictures_of_an_earlier_list_are_counted(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    assert bring(empty, root)["earlier_lists"] == 0
    text = (root / "a.json").read_text()
    (root / "a.json").write_text(text.replace("Luna", "Lune"))
    # Only two of the three pictures have a label.
    assert bring(empty, root)["earlier_lists"] == 2
    line = ("-C", empty.root, "import", "coco", root, "--dry-run")
    done = CliRunner().invoke(cli, [str(word) for word in line])
    assert "2 pictures were imported before, from an earlier version" in done.stderr
    assert not any(row[-1] == "Lune" for row in faces(empty))


def test_a_picture_in_two_lists_is_of_no_earlier_one(
    empty: Workspace, root: Path
) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "a.json").write_text((root / "a.json").read_text() + "\n")
    shutil.copytree(root / "images", root / "sub" / "images")
    bring(empty, root)
    assert bring(empty, root)["earlier_lists"] == 0


def test_what_is_held_out_is_never_trained_on(empty: Workspace, root: Path) -> None:
    bring(empty, root, "--held-out", "all")
    assert not any(
        isinstance(each, LabelledPicture)
        for each in WorkspaceReader(empty.root).pictures()
    )


def test_another_picture_of_the_same_name_is_refused(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    write_picture(root / "images" / "1.jpg", 99, (160, 160))
    done = bring(empty, root)
    assert done["files"]["refused"]["another_picture"] == 1
    assert any("needs another name (--name" in each["why"] for each in done["faults"])


def test_files_of_one_name_lose_no_picture(empty: Workspace, tmp_path: Path) -> None:
    root = tmp_path / "set"
    for seed, split in enumerate(("train", "val")):
        write_picture(root / split / "images" / "1.bmp", seed)
        found = content([image(1, "1.bmp")], [annotation(1, character="Luna")])
        write_json(root / split / "annotations.json", found)
    known = "-C", empty.root, "import", "coco"
    one = said(*known, root / "val" / "annotations.json", "--name", "set")
    assert one["pictures"] == {"set val (held out)": 1}
    both = said(*known, root)
    assert both["files"]["imported"] == 2
    # One of them was there, with its face.
    assert (both["faces"], both["labels"]) == (1, 1)
    again = said(*known, root)
    assert again["files"] == {**both["files"], "imported": 0, "known": 2}
    with empty.catalogue.read() as connection:
        assert len(connection.execute(sa.select(schema.image)).all()) == 2
    assert len(faces(empty)) == 2


def test_a_picture_of_the_same_name_and_size_in_another_part_is_refused(
    empty: Workspace, tmp_path: Path
) -> None:
    files = []
    for seed, split in enumerate(("train", "val")):
        write_picture(tmp_path / split / "1.bmp", seed)
        found = content([image(1, "1.bmp")], [])
        files.append(write_json(tmp_path / split / "annotations.json", found))
    known = "-C", empty.root, "import", "coco"
    assert said(*known, files[0])["files"]["imported"] == 1
    assert said(*known, files[0], "--held-out", "all")["files"]["known"] == 1
    assert bring(empty, files[1])["files"]["refused"] == {"another_picture": 1}


def test_texts_that_cannot_be_stored_refuse_their_pictures_alone(
    empty: Workspace, tmp_path: Path
) -> None:
    root = tmp_path / "coco"
    for number in range(2):
        write_picture(root / f"{number}.jpg", number)
    images = [
        image(0, "0.jpg"),
        image(1, "1.jpg", license=1),
        image(2, "a\0/b.jpg"),
        image(3, "\ud800.jpg"),
    ]
    licence = {"id": 1, "name": "CC0\ud800"}
    write_json(root / "a.json", content(images, [], licenses=[licence]))
    done = bring(empty, root)
    assert done["files"]["imported"] == 1
    assert done["files"]["refused"] == {"unreadable": 3}
    wheres = [each["where"].rpartition(", ")[2] for each in done["faults"]]
    assert sorted(wheres) == ["images[1]", "images[2]", "images[3]"]


def test_a_dry_run_writes_nothing(empty: Workspace, root: Path) -> None:
    done = bring(empty, root, "--dry-run")
    assert (done["files"]["imported"], done["labels"]) == (5, 2)
    assert faces(empty) == []


def test_the_filter_takes_it_as_anything_else(empty: Workspace, root: Path) -> None:
    bring(empty, root, "--name", "mine")
    steps = said("-C", empty.root, "filter", "run")["steps"]
    assert steps["detect"]["passed"] == 0
    assert steps["aspect"]["passed"] == 3
    assert steps["score"]["passed"] == 2


@pytest.mark.slow
def test_postgresql_has_the_same_faces(
    empty: Workspace,
    root: Path,
    tmp_path: Path,
    postgres_catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = bring(empty, root)
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    other = make_workspace(tmp_path / "other", (), "")
    words = "import", "coco", root, "--json"
    done = program("icf", *words, folder=other.root, code=3)
    assert json.loads(done.stdout) == expected
    assert faces(other) == faces(empty)
    again = json.loads(program("icf", *words, folder=other.root, code=3).stdout)
    assert (again["files"]["known"], again["files"]["imported"]) == (3, 0)
    other.catalogue.close()
