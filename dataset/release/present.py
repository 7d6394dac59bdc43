"""The files of a release that is there, against the hashes it was written with."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.release.files import LATER, LICENCES, SUMS, TAKEN_DOWN
from icf.dataset.release.sums import files_below, read_sums, unreadable
from icf.errors import BadInput
from icf.stores.files import hash_file

#: Of a pipe, a link to no file or the like where a file should be.
NOT_PLAIN = "is no plain file"
#: Faults that a message names.
_TOLD = 10
#: How a fault of a file begins that nobody wrote with the release.
ADDED = "was added"


def hash_all(folder: Path, advance: Callable[[int], None]) -> dict[str, str]:
    """Read every file of a release; return their hashes by name, sorted.

    Args:
        folder: the release.
        advance: called with 1 after each file.

    Raises:
        BadInput: a file or a folder cannot be read.
    """
    found = {}
    for name in sorted(files_below(folder)):
        try:
            found[name] = hash_file(folder / name)
        except OSError as error:
            raise unreadable(folder / name, error) from error
        advance(1)
    return found


def check_sums(folder: Path, hashes: Mapping[str, str]) -> Iterator[Fault]:
    """Yield the files that are missing, changed or added since it was written."""
    try:
        sums = read_sums(folder)
    except BadInput as error:
        yield Fault(SUMS, str(error).removeprefix(f"{folder / SUMS}").lstrip(": "))
        return
    for name, sha256 in sums.items():
        if name not in hashes:
            yield _lost(folder, name)
        elif hashes[name] != sha256:
            yield _changed(name, hashes[name], sha256)
    for name in sorted(hashes.keys() - sums.keys() - set(LATER)):
        yield Fault(name, f"{ADDED}: it is not in {SUMS}")


def taken_down(folder: Path) -> frozenset[str]:
    """Return the files that a takedown deleted and that lists of a release still name.

    Where it was cleaned, its lists name them no more, or they were written again.

    Raises:
        BadInput: its list cannot be read.
    """
    path = folder / TAKEN_DOWN
    if not path.exists():
        return frozenset()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        gone = frozenset(str(name) for entry in entries for name in entry["files"])
    except (OSError, *UNEXPECTED) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    named = read_licences(folder)
    if named is not None:
        gone &= {name for name, _ in named}
    return frozenset(name for name in gone if not (folder / name).exists())


def check_by_licences(folder: Path, hashes: Mapping[str, str]) -> Iterator[Fault]:
    """Do the same by `LICENCES`, which has the hashes of the pictures.

    Releases of earlier versions have no other hashes.
    """
    rows = read_licences(folder)
    if rows is None:
        what = "is no table with the columns file and sha256"
        yield Fault(LICENCES, what if LICENCES in hashes else MISSING)
        return
    for name, sha256 in sorted(rows):
        if name not in hashes:
            yield _lost(folder, name)
        elif hashes[name] != sha256:
            yield _changed(name, hashes[name], sha256)


def lost_or_changed(folder: Path) -> list[Fault]:
    """Read every file of a release; return the faults of those it was written with.

    Raises:
        BadInput: a file cannot be read at all.
    """
    hashes = hash_all(folder, lambda _: None)
    known = (folder / SUMS).is_file()
    check = check_sums if known else check_by_licences
    gone = taken_down(folder)
    return [
        fault
        for fault in check(folder, hashes)
        if not fault.what.startswith(ADDED) and fault.file not in gone
    ]


def told(faults: Sequence[Fault]) -> str:
    """The first faults for a message, a line each."""
    return "\n".join(f"  {each}" for each in faults[:_TOLD])


def read_licences(folder: Path) -> set[tuple[str, str]] | None:
    """Read each file with its SHA-256; None where the table cannot be read."""
    try:
        with (folder / LICENCES).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            return {(row["file"], row["sha256"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None


def _lost(folder: Path, name: str) -> Fault:
    """A file that should be there: nothing is, or a link, a pipe or a folder."""
    return Fault(name, NOT_PLAIN if os.path.lexists(folder / name) else MISSING)


def _changed(name: str, found: str, meant: str) -> Fault:
    return Fault(name, f"has changed: its SHA-256 is {found}, and not {meant}")
