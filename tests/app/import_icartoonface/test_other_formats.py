"""A release in the formats of others comes back with the same faces and boxes."""

from __future__ import annotations

import csv
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.labels.given_boxes import GIVEN_ALL
from icf.dataset import contents
from icf.icartoonface.parts import HELD_OUT_ENDING
from icf.workspace import Workspace, find
from tests.app.program import said


def table(release: Path, *parts: str) -> list[dict[str, str]]:
    with (release / contents.FILE).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["part"] in parts]


def boxes_of(space: Workspace, detector: str = "%") -> set[tuple[object, ...]]:
    """Each face by its picture's bytes and its corners, as whole pixels."""
    face, image = schema.face, schema.image
    query = (
        sa.select(image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        .join(image, image.c.id == face.c.image_id)
        .where(face.c.detector.like(detector))
    )
    with space.catalogue.read() as connection:
        rows = connection.execute(query).all()
    return {(row.sha256, *(round(side) for side in row[1:])) for row in rows}


def listed(release: Path, space: Workspace) -> set[tuple[object, ...]]:
    """The true boxes of the detection set, as the workspace of the release has them."""
    rows = table(release, contents.DETECTION_TRAIN, contents.DETECTION_TEST)
    shown = {row["sha256"] for row in rows}
    return {row for row in boxes_of(space, GIVEN_ALL) if row[0] in shown}


def sources(space: Workspace) -> set[tuple[str, str, str | None, str | None]]:
    source = schema.image_source.c
    query = sa.select(source.url, source.licence, source.source, source.author)
    with space.catalogue.read() as connection:
        return {tuple(row) for row in connection.execute(query)}


def test_coco_has_the_boxes_of_the_detection_set(
    empty: Workspace, others: Path, release: Path, made: Path
) -> None:
    done = said("-C", empty.root, "import", "coco", others / "coco", "--name", "mine")
    shown = table(others, contents.DETECTION_TRAIN, contents.DETECTION_TEST)
    assert done["files"]["imported"] == done["files"]["in"] == len(shown)
    origin = find(made)
    assert boxes_of(empty) == listed(others, origin)
    origin.catalogue.close()
    urls = sources(empty)
    assert {url.split("/")[2] for url, *_ in urls} == {"toons.test"}
    assert {licence for _, licence, _, _ in urls} == {"CC BY 4.0"}
    assert {author for *_, author in urls} == {"=A. Drawer"}
    assert {part for _, _, part, _ in urls} == {
        "mine train",
        f"mine test{HELD_OUT_ENDING}",
    }


def test_folders_have_the_characters_and_boxes_of_both_sets(
    empty: Workspace, others: Path
) -> None:
    place = others / "imagefolder"
    done = said("-C", empty.root, "import", "folder", place, "--name", "mine")
    assert done["files"]["refused"] == {}
    face, image, question = schema.face, schema.image, schema.question
    character, album = schema.character, schema.album
    query = (
        sa.select(image.c.sha256, character.c.name, album.c.name)
        .select_from(question)
        .join(face, face.c.id == question.c.face_id)
        .join(image, image.c.id == face.c.image_id)
        .join(character, character.c.id == question.c.character_id)
        .join(album, album.c.id == character.c.album_id)
    )
    with empty.catalogue.read() as connection:
        found = sorted(tuple(row) for row in connection.execute(query))
    faces = table(others, *contents.FACES)
    assert found == sorted(
        (row["sha256"], row["character"], row["album"]) for row in faces
    )
    whole = table(others, contents.DETECTION_TRAIN, contents.DETECTION_TEST)
    boxed = {row[0] for row in boxes_of(empty, GIVEN_ALL)}
    assert boxed == {row["sha256"] for row in whole}
