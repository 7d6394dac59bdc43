"""Check ``exif_turned.csv`` against the files of the pictures that are in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from icf.dataset.contents import Contents
from icf.dataset.formats.beside import CROPS, TURNED
from icf.dataset.formats.checked import UNEXPECTED, Fault
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.rights.trail import Place, Trail
from icf.images.exif import SWAPS_SIDES
from icf.images.header import Undecodable, orientation_of

#: Orientation, width and height as stored.
_Lies = tuple[int, int, int]


def trail_of(folder: Path) -> Trail:
    """Return what a release says of each picture, with how EXIF turns it."""
    found: dict[Place, _Lies] = {}
    for _ in _read_turned(folder, found):
        pass  # `check_turned` says so
    return Trail(folder, {place: lies[0] for place, lies in found.items()})


def check_turned(folder: Path, contents: Contents, trail: Trail) -> Iterator[Fault]:
    """Yield rows that are not those of all files of the pictures that are in it.

    Args:
        folder: the release.
        contents: everything that is in a part.
        trail: of the release, with the same table.
    """
    table: dict[Place, _Lies] = {}
    yield from _read_turned(folder, table)
    if not table:
        return
    turned = trail.turned()
    sizes = _sizes(contents, turned)
    meant = {
        place: _lies(turned[row["sha256"]], sizes.get(row["sha256"]))
        for place, row in _read(folder / LICENCES)
        if row["sha256"] in turned
    }
    for place, _ in _read(folder / CROPS) if meant else ():
        meant.pop(place, None)
    for place in sorted(meant.keys() | table.keys()):
        named = " ".join(place).rstrip()
        if place not in table:
            yield Fault(TURNED, f"has no row of {named}")
        elif place not in meant:
            yield Fault(TURNED, f"has {named}, which is no picture that is turned")
        elif meant[place] != table[place] and all(meant[place]):
            found, said = (" ".join(map(str, each[place])) for each in (table, meant))
            yield Fault(TURNED, f"says {found} of {named}, and not {said}")


def orientation(data: bytes) -> int | None:
    """How EXIF turns a picture, 1 to 8; None: it cannot be read."""
    try:
        return orientation_of(data)
    except Undecodable:
        return None


def _read_turned(folder: Path, found: dict[Place, _Lies]) -> Iterator[Fault]:
    """Add the rows of the table; yield that one is none."""
    try:
        for place, row in _read(folder / TURNED):
            sides = int(row["width"]), int(row["height"])
            found[place] = int(row["orientation"]), *sides
    except (OSError, csv.Error, *UNEXPECTED) as error:
        yield Fault(TURNED, f"cannot be read to its end: {error!r:.200}")


def _read(path: Path) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """Yield the rows of a table with the place of each; none where it is not there."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield (row["file"], row.get("member") or ""), row


def _sizes(contents: Contents, turned: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Width and height, upright; an earlier version has none."""
    wanted = np.array(sorted(turned), "S64")
    rows = np.flatnonzero(np.isin(contents.sha256, wanted)).tolist()
    return {
        contents.sha256[row].decode(): (
            int(contents.width[row]),
            int(contents.height[row]),
        )
        for row in rows
    }


def _lies(orientation: int, size: tuple[int, int] | None) -> _Lies:
    width, height = size or (0, 0)
    if orientation in SWAPS_SIDES:
        width, height = height, width
    return orientation, width, height
