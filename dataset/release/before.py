"""Read what an earlier release had in which part from its folder."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from icf.dataset import contents as columns
from icf.dataset.before import Before, Cut, Face, Name
from icf.dataset.contents import Contents, joined, read_contents
from icf.dataset.formats.beside import CROPS
from icf.dataset.formats.registry import lists_folder
from icf.dataset.release.earlier import (
    Named,
    contents_of_lists,
    has_contents,
    read_identities,
)
from icf.dataset.release.files import EARLIER
from icf.dataset.splits.parts import BoolArray, Part
from icf.errors import BadInput, WrongUse
from icf.icartoonface.release_files import IDENTITIES
from icf.spreadsheet import rows_of

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
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WrongUse(
            f"--after {folder}: it is no release, as its {_SUMMARY} cannot be read "
            f"({error}); name the folder that icf-build-splits wrote"
        ) from error
    if has_contents(folder):
        known = read_contents(folder / columns.FILE)
        rows = known.rows(*columns.FACES).tolist()
        who = list(zip(known.album[rows], known.character[rows], strict=True))
        labels = known.label[rows].tolist()
        _check_labels(folder / columns.FILE, rows, who, labels)
        made = replace(_of_contents(known, inputs), cut=_cut(folder, known))
        return _with_left(made, folder)
    lists = lists_folder(summary)
    if lists is None:
        raise BadInput(
            f"--after {folder}: it has neither {columns.FILE} nor iCartoonFace's lists"
        )
    found = _of_contents(contents_of_lists(folder, folder / lists), inputs)
    identities = read_identities(folder / lists)
    _check_labels(
        folder / lists / IDENTITIES,
        range(len(identities)),
        [(each.album, each.character) for each in identities],
        [each.label for each in identities],
    )
    return _with_names(found, identities)


def _check_labels(
    path: Path, rows: Sequence[int], names: Sequence[Name], numbers: Sequence[int]
) -> None:
    """Refuse labels that no release has: each is one identity's, and it has no other.

    Numbers that nobody has any more stay free, so that they may have gaps.

    Args:
        path: the table.
        rows: the places in it of those who have a label or -1, counted from 0.
        names: their albums and characters.
        numbers: their labels.

    Raises:
        BadInput: the message has the file and the line.
    """
    labels: dict[Name, int] = {}
    owners: dict[int, Name] = {}
    highest = row_of_it = -1
    for row, name, label in zip(rows, names, numbers, strict=True):
        if label < 0:
            continue
        known, owner = labels.setdefault(name, label), owners.setdefault(label, name)
        what = f"the label {label} of {'/'.join(name)}"
        if known != label:
            raise _wrong(path, row, f"{what}, which has the label {known} above")
        if owner != name:
            raise _wrong(path, row, f"{what} is that of {'/'.join(owner)} above")
        if label > highest:
            highest, row_of_it = label, row
    if highest > _MOST_FREE + _MOST_TIMES * len(labels):
        what = f"the label {highest} is far above its {len(labels):,} identities"
        raise _wrong(path, row_of_it, what)


#: Every number up to the highest is kept, with a name or without, and in some formats
#: written: so many may be free, and so many times the identities.
_MOST_FREE, _MOST_TIMES = 1_000_000, 100


def _wrong(path: Path, row: int, what: str) -> BadInput:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        for _ in islice(rows, row + 2):  # the header too
            pass
        line = rows.line_num
    return BadInput(
        f"{path}: line {line}: {what}; `icf release verify` says what else was edited"
    )


def _of_contents(known: Contents, inputs: str) -> Before:
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
    return Before(inputs, faces, found, labels, detection, known)


def _cut(folder: Path, known: Contents) -> dict[str, Cut]:
    """Read which face each crop of a release shows; without crops there is none."""
    if not (folder / CROPS).is_file():
        return {}
    rows = known.rows(*columns.FACES).tolist()
    names = {str(known.name[row]).rpartition("/")[2]: row for row in rows}
    found: dict[str, Cut] = {}
    table = rows_of(
        folder / CROPS, "file", "member", "x1", "y1", later=("crop_sha256",)
    )
    for each in table:
        row = names.get((each["member"] or each["file"]).rpartition("/")[2])
        if row is not None and (sha256 := each.get("crop_sha256")):
            x1, y1, x2, y2 = known.corners[row].tolist()
            face = known.sha256[row].decode(), (x1, y1, x2, y2)
            try:
                found[sha256] = face, (int(each["x1"]), int(each["y1"]))
            except ValueError as error:
                raise BadInput(f"{folder / CROPS}: {error}") from error
    return found


def _with_left(found: Before, folder: Path) -> Before:
    """Add what releases before it had: it is not placed elsewhere when it returns.

    Their identities keep their numbers, so that no new one is called by one of these.
    """
    if not has_contents(folder, EARLIER):
        return found
    left = _of_contents(read_contents(folder / EARLIER), found.inputs)
    taken = set(found.labels.values())
    labels = {who: n for who, n in left.labels.items() if n not in taken}
    nobody: frozenset[Part] = frozenset()
    return replace(
        found,
        faces={**left.faces, **found.faces},
        names={
            who: left.names.get(who, nobody) | found.names.get(who, nobody)
            for who in left.names.keys() | found.names.keys()
        },
        labels={**labels, **found.labels},
        detection={**left.detection, **found.detection},
        rows=joined([found.rows, left.rows]),
        left=frozenset(left.faces.keys() - found.faces.keys()),
        left_detection=frozenset(left.detection.keys() - found.detection.keys()),
    )


def left_of(
    before: Before, contents: Contents, withdrawn: Callable[[Contents], BoolArray]
) -> Contents:
    """Return what a release after an earlier one does not have of it.

    Args:
        before: the earlier release, with what it had left itself.
        contents: of the new one.
        withdrawn: which rows never come back, so that nothing need be known of them.
    """
    of_faces = contents.rows(*columns.FACES)
    names = contents.sha256[of_faces].astype("U64").tolist()
    faces = set(before.known(names, contents.corners[of_faces]))
    rows = contents.rows(columns.DETECTION_TRAIN, columns.DETECTION_TEST)
    pictures = set(contents.sha256[rows].tolist())
    old = before.rows
    stays = np.array(
        [
            (sha256.decode(), tuple(corners)) in faces
            if part in columns.FACES
            else sha256 in pictures
            for part, sha256, corners in zip(
                old.part.tolist(),
                old.sha256.tolist(),
                old.corners.tolist(),
                strict=True,
            )
        ],
        np.bool_,
    )
    rest = old.take(~stays & ~withdrawn(old))
    # A picture has another name in each release, and boxes name faces by it.
    nothing = columns.texts([""] * len(rest))
    return replace(rest, name=nothing, boxes=nothing)


def _with_names(found: Before, identities: Sequence[Named]) -> Before:
    """Add who the distractors are; an earlier version's corners are whole pixels."""
    return replace(
        found,
        names={
            (each.album, each.character): _OF_ROLE[each.role] for each in identities
        },
        labels={
            (each.album, each.character): each.label
            for each in identities
            if each.label >= 0
        },
    )


_OF_ROLE = {
    "train": frozenset({Part.TRAIN}),
    "seen": frozenset({Part.TRAIN, Part.PROBE}),
    "unseen": frozenset({Part.PROBE}),
    "distractor": frozenset({Part.DISTRACTOR}),
}
