"""What changed from one release to another, from their files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    FACES,
    Contents,
    read_contents,
)
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.release.earlier import has_contents
from icf.dataset.release.known import read_summary
from icf.errors import BadInput

#: A face: the SHA-256 of its picture, and its corners.
Face = tuple[Any, ...]
#: Album and character of a face, true boxes of a picture.
Said = tuple[Any, ...]


@dataclass(frozen=True)
class Changes:
    """Things of a kind in two releases, by a key that both have.

    Attributes:
        added: those that only the second has.
        removed: those that only the first has.
        moved: those in another part, by the parts: ``train -> probe``.
        relabelled: faces with another identity, pictures with other true boxes.
        same: those that are as they were.
    """

    added: int
    removed: int
    moved: Mapping[str, int]
    relabelled: int
    same: int


@dataclass(frozen=True)
class Difference:
    """What changed from one release to another.

    Attributes:
        faces: of recognition.
        pictures: of detection.
        identities_added: as ALBUM/CHARACTER.
        identities_removed: the same.
        settings: each setting that differs, with both values.
        models: each model that differs, with both hashes.
    """

    faces: Changes
    pictures: Changes
    identities_added: tuple[str, ...]
    identities_removed: tuple[str, ...]
    settings: Mapping[str, tuple[Any, Any]]
    models: Mapping[str, tuple[Any, Any]]


def compare(one: Path, other: Path) -> Difference:
    """Compare two releases.

    Raises:
        WrongUse: one is no release.
        BadInput: one has no ``contents.csv``, or it is damaged.
    """
    summaries = read_summary(one), read_summary(other)
    contents = _contents(one), _contents(other)
    faces = [dict(_faces(each)) for each in contents]
    boxed = all(each.width.any() for each in contents)
    pictures = [dict(_pictures(each, boxed)) for each in contents]
    names = [{"/".join(who) for _, who in each.values()} for each in faces]
    settings = [dict(_flat(each.get("settings", {}))) for each in summaries]
    models = [dict(_flat(each.get("models", {}))) for each in summaries]
    return Difference(
        _changes(*faces),
        _changes(*pictures),
        tuple(sorted(names[1] - names[0])),
        tuple(sorted(names[0] - names[1])),
        _differing(*settings),
        _differing(*models),
    )


def _contents(folder: Path) -> Contents:
    if has_contents(folder):
        return read_contents(folder / CONTENTS)
    raise BadInput(
        f"{folder} has no {CONTENTS}: an earlier version wrote it, and its faces "
        "cannot be told apart; make it again with `icf-build-splits`"
    )


#: A face or a picture, its part, and what is said of it there.
Keyed = Iterator[tuple[Face, tuple[str, Said]]]


def _faces(contents: Contents) -> Keyed:
    """Each face with its part and its identity."""
    rows = contents.take(contents.rows(*FACES))
    for sha256, corners, part, album, character in zip(
        rows.sha256.tolist(),
        rows.corners.tolist(),
        rows.part.tolist(),
        rows.album.tolist(),
        rows.character.tolist(),
        strict=True,
    ):
        yield (sha256, *corners), (part, (album, character))


def _pictures(contents: Contents, boxed: bool) -> Keyed:
    """Each detection picture with its part and, if both releases say them, its boxes.

    The names of faces behind boxes are others in each release.
    """
    rows = contents.take(contents.rows(DETECTION_TRAIN, DETECTION_TEST))
    for sha256, part, cell in zip(
        rows.sha256.tolist(), rows.part.tolist(), rows.boxes.tolist(), strict=True
    ):
        boxes = sorted(each.corners for each in boxes_in(cell)) if boxed else ()
        yield (sha256,), (part, tuple(boxes))


def _changes(
    one: Mapping[Face, tuple[str, Said]], other: Mapping[Face, tuple[str, Said]]
) -> Changes:
    moved: dict[str, int] = {}
    relabelled = same = 0
    for key in one.keys() & other.keys():
        (before, was), (after, now) = one[key], other[key]
        if before != after:
            way = f"{before} -> {after}"
            moved[way] = moved.get(way, 0) + 1
        relabelled += was != now
        same += (before, was) == (after, now)
    return Changes(
        added=len(other.keys() - one.keys()),
        removed=len(one.keys() - other.keys()),
        moved=dict(sorted(moved.items())),
        relabelled=relabelled,
        same=same,
    )


def _flat(value: object, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of nested tables, by its dotted name."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    else:
        # Lists compare as they are written.
        yield name, value if not isinstance(value, list) else json.dumps(value)


def _differing(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    return {
        name: (one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }
