"""Read what an earlier release had in which part from its folder."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from icf.dataset import contents as columns
from icf.dataset.before import Before, Corners, Face, Name
from icf.dataset.contents import read_contents
from icf.dataset.formats.registry import lists_folder
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.splits.parts import Part
from icf.errors import BadInput, WrongUse
from icf.icartoonface.detection import read_dettest_csv, read_dettrain_csv
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.spreadsheet import meant_by

_SUMMARY = "release.json"
_PARTS = {
    columns.TRAIN: Part.TRAIN,
    columns.PROBE: Part.PROBE,
    columns.DISTRACTOR: Part.DISTRACTOR,
    columns.DETECTION_TRAIN: Part.TRAIN,
    columns.DETECTION_TEST: Part.TEST,
}


def read_before(folder: Path) -> Before:
    """Read a release; one of an earlier version needs iCartoonFace's lists.

    Raises:
        WrongUse: the folder is no release.
        BadInput: a file of it is missing or not as it should be.
    """
    try:
        summary = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        inputs = str(summary["inputs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(
            f"--after {folder}: it is no release, as its {_SUMMARY} cannot be read "
            f"({error}); name the folder that icf-build-splits wrote"
        ) from error
    if (folder / columns.FILE).exists():
        return _of_contents(folder, inputs)
    lists = lists_folder(summary)
    if lists is None:
        raise BadInput(
            f"--after {folder}: it has neither {columns.FILE} nor iCartoonFace's lists"
        )
    return _of_lists(folder, folder / lists, inputs)


def _of_contents(folder: Path, inputs: str) -> Before:
    known = read_contents(folder / columns.FILE)
    faces: dict[Face, Part] = {}
    names: dict[Name, set[Part]] = defaultdict(set)
    labels: dict[Name, int] = {}
    detection: dict[str, Part] = {}
    rows = zip(
        known.part.tolist(),
        known.sha256.tolist(),
        known.corners.tolist(),
        known.album.tolist(),
        known.character.tolist(),
        known.label.tolist(),
        strict=True,
    )
    for part, sha256, (x1, y1, x2, y2), album, character, label in rows:
        if part not in columns.FACES:
            detection[sha256.decode()] = _PARTS[part]
            continue
        faces[sha256.decode(), (x1, y1, x2, y2)] = _PARTS[part]
        names[album, character].add(_PARTS[part])
        if label >= 0:
            labels[album, character] = label
    found = {name: frozenset(parts) for name, parts in names.items()}
    return Before(inputs, faces, found, labels, detection)


def _of_lists(folder: Path, lists: Path, inputs: str) -> Before:
    """Read the lists of an earlier version, whose corners are whole pixels."""
    content = _content(folder)
    train = read_rectrain_det(lists / RECTRAIN_LIST)
    test = read_rectest_info(lists / RECTEST_INFO)
    place = lists.relative_to(folder)

    def sha256(inside: Path, path: str) -> str:
        file = (place / inside / path).as_posix()
        if file not in content:
            raise BadInput(f"{folder / LICENCES} does not name {file}")
        return content[file]

    faces: dict[Face, Part] = {}
    for path, corners in zip(train.paths, train.boxes.tolist(), strict=True):
        faces[sha256(RECTRAIN_FOLDER, path), _floats(corners)] = Part.TRAIN
    rows = zip(test.files, test.boxes.tolist(), test.labels.tolist(), strict=True)
    for path, corners, label in rows:
        part = Part.PROBE if label >= 0 else Part.DISTRACTOR
        faces[sha256(RECTEST_FOLDER, path), _floats(corners)] = part
    detection = {
        sha256(inside, path): part
        for inside, paths, part in (
            (
                DETTRAIN_FOLDER,
                read_dettrain_csv(lists / DETTRAIN_BOXES).pictures,
                Part.TRAIN,
            ),
            (
                DETTEST_FOLDER,
                read_dettest_csv(lists / DETTEST_BOXES).pictures,
                Part.TEST,
            ),
        )
        for path in paths
    }
    names: dict[Name, frozenset[Part]] = {}
    labels: dict[Name, int] = {}
    for row in _rows(lists / IDENTITIES):
        name = meant_by(row["album"]), meant_by(row["character"])
        names[name] = _OF_ROLE[row["role"]]
        if int(row["label"]) >= 0:
            labels[name] = int(row["label"])
    return Before(inputs, faces, names, labels, detection, whole=True)


_OF_ROLE = {
    "train": frozenset({Part.TRAIN}),
    "seen": frozenset({Part.TRAIN, Part.PROBE}),
    "unseen": frozenset({Part.PROBE}),
    "distractor": frozenset({Part.DISTRACTOR}),
}


def _floats(corners: list[int]) -> Corners:
    x1, y1, x2, y2 = map(float, corners)
    return x1, y1, x2, y2


def _content(folder: Path) -> dict[str, str]:
    return {row["file"]: row["sha256"] for row in _rows(folder / LICENCES)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
