"""The files of a release and their hashes, against ``SHA256SUMS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from icf.dataset.formats.checked import MISSING, Fault
from icf.dataset.release.files import LATER, SUMS, TAKEN_DOWN
from icf.dataset.release.sums import files_below, hash_file, read_sums
from icf.errors import BadInput


def hash_all(folder: Path, advance: Callable[[int], None]) -> dict[str, str]:
    """Read every file of a release; return their hashes by name, sorted.

    Args:
        folder: the release.
        advance: called with 1 after each file.

    Raises:
        BadInput: a file cannot be read.
    """
    found = {}
    for name in sorted(files_below(folder)):
        try:
            found[name] = hash_file(folder / name)
        except OSError as error:
            raise BadInput(
                f"{folder / name} cannot be read: {error}; check the disk, and who may "
                "read there"
            ) from error
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
            yield Fault(name, MISSING)
        elif hashes[name] != sha256:
            yield Fault(
                name, f"has changed: its SHA-256 is {hashes[name]}, and not {sha256}"
            )
    for name in sorted(hashes.keys() - sums.keys() - set(LATER)):
        yield Fault(name, f"was added: it is not in {SUMS}")


def taken_down(folder: Path) -> frozenset[str]:
    """Return the files that a takedown deleted from a release.

    Raises:
        BadInput: its list cannot be read.
    """
    path = folder / TAKEN_DOWN
    if not path.exists():
        return frozenset()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(str(name) for entry in entries for name in entry["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
