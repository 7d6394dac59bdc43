"""The detection test of a release: its files, and whether people verified its boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.dataset.formats.registry import DEFAULT, lists_folder
from icf.dataset.release.files import SUMMARY
from icf.dataset.scores.summary import read_summary
from icf.errors import BadInput, WrongUse
from icf.icartoonface.release_files import DETTEST_BOXES, DETTEST_FOLDER, DETTEST_FOUND

#: Folders of a release above a list of boxes: of the format, and within that.
_DEEPEST = 4
#: What the boxes of published sets are called where a detector has its SHA-256.
_GIVEN = "given"

#: Why boxes that nobody verified give no average precision.
NOBODY_VERIFIED = (
    "the boxes of {} are the detector's own proposals, which nobody verified: a "
    "detector can only agree with itself, and what it overlooked is missing from the "
    "truth too, so an average precision would say nothing. Verify boxes "
    "(`icf-annotate serve`), or add --unverified to see how far detections agree with "
    "the proposals"
)


@dataclass(frozen=True)
class ReleaseTest:
    """Where the detection test of a release lies.

    Attributes:
        root: The folder of the release.
        verified: Whether people verified its boxes, or a published set gave them.
        truth: The file of its boxes.
        found: What its own detector found.
        pictures: The folder of its pictures; None: they are in shards.
        detectors: Name and SHA-256 of each detector that made the release.
        detected: Whether a detector looked for faces.
    """

    root: Path
    verified: bool
    truth: Path
    found: Path
    pictures: Path | None
    detectors: tuple[tuple[str, str], ...]
    detected: bool


def find_test(folder: Path) -> ReleaseTest:
    """Find the test of a release.

    Raises:
        WrongUse: The folder is no release, or has no files of iCartoonFace.
        BadInput: Its ``release.json`` cannot be read.
    """
    summary = read_summary(folder)
    if summary is None:
        raise WrongUse(f"{folder} is no release: it has no {SUMMARY}")
    place = lists_folder(summary)
    files = folder / (place or ".")
    if place is None or not (files / DETTEST_BOXES).is_file():
        raise WrongUse(
            f"{folder} has no {DETTEST_BOXES}: build it with --format {DEFAULT}, or "
            "name the boxes with --truth"
        )
    models = summary.get("models")
    detectors = models.get("detectors", []) if isinstance(models, dict) else []
    return ReleaseTest(
        folder,
        is_verified(summary),
        files / DETTEST_BOXES,
        files / DETTEST_FOUND,
        files / DETTEST_FOLDER if (files / DETTEST_FOLDER).is_dir() else None,
        tuple((each.get("name") or "", each.get("sha256") or "") for each in detectors),
        was_detected(summary, files / DETTEST_FOUND),
    )


def release_above(path: Path) -> Path | None:
    """The folder of the release that a file is in, whatever its format; else None."""
    for folder in path.resolve().parents[:_DEEPEST]:
        if (folder / SUMMARY).is_file():
            return folder if _is_of_release(folder) else None
    return None


def _is_of_release(folder: Path) -> bool:
    """Whether its ``release.json`` is one of ours."""
    try:
        summary = read_summary(folder)
    except BadInput:
        return False
    return summary is not None and {"seed", "counts"} <= summary.keys()


def release_of(path: Path) -> ReleaseTest | None:
    """The release whose list of test boxes a file is; None if it is something else."""
    folder = release_above(path)
    if folder is None:
        return None
    try:
        test = find_test(folder)
    except (BadInput, WrongUse):
        return None
    return test if test.truth.resolve() == path.resolve() else None


def nobody_verified(folder: Path) -> bool:
    """Whether a folder is a release whose boxes a detector proposed."""
    summary = read_summary(folder)
    return summary is not None and not is_verified(summary)


def refuse_unverified(folder: Path) -> None:
    """Refuse the boxes of a release that nobody verified.

    Raises:
        WrongUse: They are the detector's own.
    """
    if nobody_verified(folder):
        raise WrongUse(NOBODY_VERIFIED.format(folder))


def was_detected(summary: Mapping[str, Any], found: Path) -> bool:
    """Whether a detector looked for faces; else all boxes came with published sets.

    Args:
        summary: What ``release.json`` says.
        found: The release's list of what its detectors found.
    """
    models = summary.get("models")
    named = models.get("detectors", []) if isinstance(models, dict) else []
    given = [str(each.get("sha256")).startswith(_GIVEN) for each in named]
    only_given = bool(given) and all(given)
    return not (only_given and found.is_file() and found.stat().st_size == 0)


def is_verified(summary: Mapping[str, object]) -> bool:
    """Releases of earlier versions, which do not say it, have the detector's boxes."""
    return summary.get("detection_boxes") == "verified"
