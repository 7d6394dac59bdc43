"""Boxes of one picture that name one face as several characters."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.importing.given import GivenFace, Owner
from icf.app.importing.overlapping import same_as
from icf.app.importing.rows import MeasuredFace
from icf.catalogue import schema
from icf.catalogue.labels.confirmed import read_confirmed
from icf.engine.step import NewFace
from icf.models.data.base import Box
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import (
    annotation,
    content,
    image,
    write_json,
    write_picture,
)
from tests.app.program import said

#: Two boxes with four fifths in common, and one beside them.
A, NEAR_A, B = (10, 10, 50, 50), (10, 15, 50, 50), (80, 80, 40, 40)


def confirmed(space: Workspace) -> Counter[str]:
    """How many faces each character has."""
    character = schema.character
    with space.catalogue.read() as connection:
        owners = read_confirmed(connection).owners
        query = sa.select(character.c.id, character.c.name)
        names = dict(connection.execute(query).all())
        return Counter(names[each] for each in owners.values())


def coco(root: Path, *boxes: tuple[Any, str]) -> list[str]:
    write_picture(root / "0.png", 0)
    some = [annotation(0, box, character=name) for box, name in boxes]
    write_json(root / "a.json", content([image(0, "0.png")], some))
    return ["coco", str(root)]


def folder(root: Path, *boxes: tuple[Any, str]) -> list[str]:
    write_picture(root / "0.png", 0)
    objects = {
        "bbox": [box for box, _ in boxes],
        "character": [name for _, name in boxes],
    }
    row = {"file_name": "0.png", "objects": objects}
    (root / "metadata.jsonl").write_text(json.dumps(row), encoding="utf-8")
    return ["folder", str(root)]


@pytest.mark.parametrize("write", [coco, folder])
@pytest.mark.parametrize("other", [A, NEAR_A])
def test_a_box_of_two_characters_is_a_face_of_neither(
    empty: Workspace, tmp_path: Path, write: Any, other: Any
) -> None:
    words = write(tmp_path / "set", (A, "Luna"), (other, "Sol"), (B, "Sol"))
    done = said("-C", empty.root, "import", *words)
    assert (done["faces"], done["labels"]) == (2, 3)
    assert confirmed(empty) == {"Sol": 1}


def test_a_known_face_that_is_named_twice_is_of_neither(
    empty: Workspace, tmp_path: Path
) -> None:
    known = coco(tmp_path / "known", (A, "Luna"))
    said("-C", empty.root, "import", *known)
    assert confirmed(empty) == {"Luna": 1}
    words = coco(tmp_path / "set", (A, "Sol"), (NEAR_A, "Luna"))
    done = said("-C", empty.root, "import", *words, "--album", "supercategory")
    assert done["faces"] == 0
    assert confirmed(empty) == {}


def face(box: Box, name: str | None) -> MeasuredFace:
    owner = Owner("Sea", name) if name else None
    new = NewFace(box, "cartoon", 1, 1, 1, 1, 1, "", 0, 0)
    return MeasuredFace(new, GivenFace(box, 1, owner))


def test_only_faces_of_different_characters_are_one() -> None:
    near, apart = (0, 1, 10, 11), (20, 20, 30, 30)
    one = (0, 0, 10, 10)
    assert same_as([], 0.5) == []
    assert same_as([face(one, "Luna"), face(near, "Luna")], 0.5) == [0, 1]
    assert same_as([face(one, "Luna"), face(near, None)], 0.5) == [0, 1]
    assert same_as([face(one, "Luna"), face(apart, "Sol")], 0.5) == [0, 1]
    assert same_as([face(one, "Luna"), face(near, "Sol")], 0.5) == [0, 0]
    # Whatever the order, none of them trains as Luna.
    several = [face(one, "Luna"), face(near, "Luna"), face(one, "Sol")]
    assert same_as(several, 0.5) == [0, 0, 0]
    assert same_as(several[::-1], 0.5) == [0, 0, 0]
