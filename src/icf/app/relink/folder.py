"""The release with its pictures: everything it was published with, and what is there.

Nothing of the release changes. Beside the pictures it gets ``relinked.csv``, which says
of every picture whether it is there and why not, and ``SHA256SUMS`` covers both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from icf.app.relink.fetching import Fate
from icf.app.relink.listed import Wanted
from icf.codes import RelinkStatus
from icf.dataset.release.files import RELINKED, SUMS
from icf.dataset.release.sums import files_below, read_sums, sum_line
from icf.errors import BadInput, WrongUse
from icf.spreadsheet import harmless
from icf.stores.blobs import BlobStore
from icf.stores.files import copy_file, hash_file, new_folder, replace_file

COLUMNS = ("file", "sha256", "status", "fate", "url", "message")


def check_release(release: Path) -> None:
    """Check the files that a release was published with.

    Raises:
        BadInput: a file is missing, or another one than its ``SHA256SUMS`` says.
    """
    for name, sha256 in read_sums(release).items():
        path = release / name
        if not path.is_file() or hash_file(path) != sha256:
            raise BadInput(
                f"{path} is missing or was changed: its SHA-256 is not the one in "
                f"{SUMS}; get the release again"
            )


def check_target(release: Path, target: Path) -> bool:
    """Return whether the target is this release, relinked before.

    Raises:
        WrongUse: it holds something else.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    try:
        same = read_sums(release).items() <= read_sums(target).items()
    except BadInput:
        same = False
    if not same or not (target / RELINKED).is_file():
        raise WrongUse(
            f"{target} already holds something else; name a new folder, or the one "
            "that was made of this release before"
        )
    return True


def write_relinked(
    release: Path,
    target: Path,
    pictures: Sequence[Wanted],
    fates: Mapping[str, Fate],
    blobs: BlobStore,
) -> None:
    """Write the release with its pictures, or add to it those that are new.

    Args:
        release: without pictures.
        target: the folder to make; or that which an earlier run made.
        pictures: of the release.
        fates: of each picture, by SHA-256.
        blobs: their bytes.
    """
    if check_target(release, target):
        _fill(release, target, pictures, fates, blobs)
        return
    with new_folder(target) as folder:
        for name in sorted(files_below(release)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(release / name, folder / name)
        _fill(release, folder, pictures, fates, blobs)


def _fill(
    release: Path,
    folder: Path,
    pictures: Sequence[Wanted],
    fates: Mapping[str, Fate],
    blobs: BlobStore,
) -> None:
    """Put pictures that are there into a folder, and then say so in its tables."""
    sums = read_sums(release)
    for each in pictures:
        if fates[each.sha256].status is not RelinkStatus.THERE:
            continue
        for file in each.files:
            sums[file] = each.sha256
            if not (folder / file).is_file() or hash_file(folder / file) != each.sha256:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).unlink(missing_ok=True)
                blobs.copy(each.sha256, folder / file, link=True)
    replace_file(folder / RELINKED, [_table(pictures, fates)])
    sums[RELINKED] = hash_file(folder / RELINKED)
    lines = (f"{sum_line(name, sums[name])}\n".encode() for name in sorted(sums))
    replace_file(folder / SUMS, lines)


def _table(pictures: Sequence[Wanted], fates: Mapping[str, Fate]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(pictures, fates))
    return text.getvalue().encode()


def _rows(
    pictures: Sequence[Wanted], fates: Mapping[str, Fate]
) -> Iterator[tuple[str, ...]]:
    for each in pictures:
        found = fates[each.sha256]
        fate = "" if found.fate is None else found.fate.value
        for file in each.files:
            said = harmless(found.url), harmless(found.message)
            yield file, each.sha256, found.status.value, fate, *said
