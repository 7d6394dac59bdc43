"""Check pictures that lie in shards against the contents of a release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from icf.dataset.contents import DETECTION_TEST, DETECTION_TRAIN, TRAIN
from icf.dataset.formats.base import Corners, Task, whole_corners
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.records import Split


@dataclass(frozen=True)
class Packed:
    """A picture as it is found in a shard.

    Attributes:
        file: the shard, relative to the format's folder.
        task: of the shard.
        split: of the shard.
        name: of the picture.
        sha256: of its bytes.
        size: width and height, as the shard says.
        label: the identity's number; None in the detection set.
        box: of the labelled face; None in the detection set.
    """

    file: str
    task: Task
    split: Split
    name: str
    sha256: str
    size: tuple[int, int]
    label: int | None = None
    box: Corners | None = None


@dataclass(frozen=True)
class _Expected:
    sha256: str
    label: int
    corners: tuple[float, ...]


def check_packed(files: ReleaseFiles, found: Iterable[Packed]) -> Iterator[Fault]:
    """Yield what is swapped, edited, missing, there twice or not of the release.

    Args:
        files: of the format.
        found: every picture of every shard.
    """
    expected = _expected(files)
    seen: set[tuple[str, str, str]] = set()
    for each in found:
        key = each.task, each.split, each.name
        known = expected.get(key)
        if known is None or key in seen:
            why = "a second time" if key in seen else "which is not in this part"
            yield Fault(each.file, f"has {each.name}, {why}")
            continue
        seen.add(key)
        yield from (Fault(each.file, what) for what in _wrong(each, known, files))
    for task, split, name in sorted(expected.keys() - seen):
        yield Fault(f"{task}/{split}", f"{name} is in none of its shards")


def _wrong(each: Packed, known: _Expected, files: ReleaseFiles) -> Iterator[str]:
    is_crop = files.crops and each.task == "recognition"
    if not is_crop and each.sha256 != known.sha256:
        yield f"{each.name} is another picture: its SHA-256 is {each.sha256}"
    if each.label is not None and each.label != known.label:
        yield f"{each.name} has the label {each.label}, and not {known.label}"
    if each.box is not None and not is_crop:
        box = whole_corners(known.corners, each.size)
        if each.box != box:
            yield f"{each.name} has the box {each.box}, and not {box}"


def _expected(files: ReleaseFiles) -> dict[tuple[str, str, str], _Expected]:
    contents = files.contents
    rows = zip(
        contents.part.tolist(),
        contents.name.tolist(),
        contents.sha256.tolist(),
        np.asarray(contents.label).tolist(),
        contents.corners.tolist(),
        strict=True,
    )
    found = {}
    for part, name, sha256, label, corners in rows:
        task = (
            "detection" if part in (DETECTION_TRAIN, DETECTION_TEST) else "recognition"
        )
        split = "train" if part in (TRAIN, DETECTION_TRAIN) else "test"
        key = task, split, PurePosixPath(name).name
        found[key] = _Expected(sha256.decode(), label, tuple(corners))
    return found
