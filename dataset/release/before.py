"""Read what an earlier release had in which part from its folder."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from icf.dataset import contents as columns
from icf.dataset.before import Before, Face, Name
from icf.dataset.contents import Contents, read_contents
from icf.dataset.formats.registry import lists_folder
from icf.dataset.release.earlier import Named, contents_of_lists, read_identities
from icf.dataset.splits.parts import Part
from icf.errors import BadInput, WrongUse

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
    if (folder / columns.FILE).exists():
        return _of_contents(read_contents(folder / columns.FILE), inputs)
    lists = lists_folder(summary)
    if lists is None:
        raise BadInput(
            f"--after {folder}: it has neither {columns.FILE} nor iCartoonFace's lists"
        )
    found = _of_contents(contents_of_lists(folder, folder / lists), inputs)
    return _with_names(found, read_identities(folder / lists))


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
    return Before(inputs, faces, found, labels, detection)


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
        whole=True,
    )


_OF_ROLE = {
    "train": frozenset({Part.TRAIN}),
    "seen": frozenset({Part.TRAIN, Part.PROBE}),
    "unseen": frozenset({Part.PROBE}),
    "distractor": frozenset({Part.DISTRACTOR}),
}
