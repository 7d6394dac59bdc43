"""What can be checked of a release that an earlier version wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.formats.checked import MISSING, Fault
from icf.dataset.formats.registry import DEFAULT, format_folders
from icf.dataset.release.files import LICENCES
from icf.dataset.verify.tables import read_licences
from icf.icartoonface.release_files import (
    DETTEST_FOLDER,
    DETTRAIN_FOLDER,
    RECTEST_FOLDER,
    RECTRAIN_FOLDER,
)

_TRAIN = (RECTRAIN_FOLDER, DETTRAIN_FOLDER)
_TEST = (RECTEST_FOLDER, DETTEST_FOLDER)


def check_earlier(
    folder: Path, summary: Mapping[str, Any], hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Check pictures against ``licences.csv``, and equal files in train and test."""
    rows = read_licences(folder)
    if rows is None:
        what = "is no table with the columns file and sha256"
        yield Fault(LICENCES, what if LICENCES in hashes else MISSING)
        return
    for file, sha256 in sorted(rows):
        if file not in hashes:
            yield Fault(file, MISSING)
        elif hashes[file] != sha256:
            yield Fault(
                file, f"has changed: its SHA-256 is {hashes[file]}, and not {sha256}"
            )
    place = Path(format_folders(summary).get(DEFAULT, "."))
    train, test = (
        {
            sha256: file
            for file, sha256 in hashes.items()
            if any(Path(file).is_relative_to(place / each) for each in some)
        }
        for some in (_TRAIN, _TEST)
    )
    for sha256 in sorted(train.keys() & test.keys()):
        yield Fault(test[sha256], f"is in train too, as {train[sha256]}")
