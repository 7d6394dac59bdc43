"""What can be checked of a release that an earlier version wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.formats.checked import Fault
from icf.dataset.formats.registry import DEFAULT, format_folders
from icf.dataset.release.present import check_by_licences
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
    yield from check_by_licences(folder, hashes)
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
