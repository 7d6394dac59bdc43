"""What ``licences.csv`` says of each picture, to hold what formats say against it.

Every file of a picture has the same rows: a reader may take those of any.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from icf.dataset.licences import FILE, MEMBER
from icf.licence_names import UNKNOWN
from icf.spdx import spdx_id
from icf.spreadsheet import meant_by

#: Where a picture is, as a row begins here.
_KEY = ("file", MEMBER, "sha256")
_SOURCE = ("url", "page", "licence", "licence_url", "licence_from", "author")
_SPDX = "spdx"
#: What tables of earlier versions, or of formats of loose files, lack.
_MAY_LACK = (MEMBER, _SPDX)
#: The columns behind the address and the page.
_ALIKE = slice(2, None)
#: In place of an identifier; no cell that is read is this very object.
_NO_COLUMN = "(no such column)"
_Row = tuple[str, ...]
#: A file, and a member of it; empty: it is the file.
Place = tuple[str, str]


class _Shared(NamedTuple):
    """What the rows of many pictures say alike.

    Attributes:
        licence: name and address.
        licences: its name alone.
        author: of the picture.
        wrong: what is wrong with the SPDX identifier; empty: nothing.
    """

    licence: tuple[str, str]
    licences: tuple[str, ...]
    author: str
    wrong: str


class Stated(NamedTuple):
    """What formats say of where a picture is from.

    Attributes:
        licences: as its sources name them, each once; at least one.
        licence: name and address of the licence at its first place.
        url: of its first place.
        author: stated there.
        mark: a hash of all that is said of it.
    """

    licences: tuple[str, ...]
    licence: tuple[str, str]
    url: str
    author: str
    mark: int


class Named:
    """Files or members with the pictures they are: how many, and a hash of them.

    Of a shard, or of the loose pictures of a folder, in any order.
    """

    def __init__(self) -> None:
        self._groups: dict[str, tuple[int, int]] = {}

    def add(self, file: str, member: str, sha256: str) -> None:
        """Count a picture.

        Args:
            file: relative to the release.
            member: its name in the file; empty: it is the file.
            sha256: of the whole picture.
        """
        group = file if member else file.rpartition("/")[0]
        count, mark = self._groups.get(group, (0, 0))
        self._groups[group] = count + 1, mark ^ hash((file, member, sha256))

    def differing(self, other: Named) -> Iterator[tuple[str, int, int]]:
        """Yield each group that another one has otherwise, with both counts."""
        for group, own in sorted(self._groups.items()):
            there = other._groups.get(group, (0, 0))
            if own != there:
                yield group, own[0], there[0]


class Trail:
    """The rows of ``licences.csv`` by picture.

    Args:
        folder: the release.
        turned: how EXIF turns what is at some places, 1 to 8; all else is upright.

    Attributes:
        named: the pictures that have rows, with their files.
    """

    def __init__(self, folder: Path, turned: Mapping[Place, int] | None = None) -> None:
        self.named = Named()
        self._turned_at = turned or {}
        self._turned: dict[str, int] = {}
        self._path = folder / FILE
        self._stated: dict[str, Stated] | None = None
        self._is_whole = False

    def of(self, sha256: str) -> Stated | None:
        """What is said of a picture; None: it has no row that can be read."""
        return self._read().get(sha256)

    def orientation(self, sha256: str) -> int:
        """How EXIF turns a picture, 1 to 8."""
        self._read()
        return self._turned.get(sha256, 1)

    def turned(self) -> Mapping[str, int]:
        """How EXIF turns each picture that it turns."""
        self._read()
        return self._turned

    def is_whole(self) -> bool:
        """Whether there is a table, and all of it can be read."""
        self._read()
        return self._is_whole

    def _read(self) -> Mapping[str, Stated]:
        if self._stated is None:
            for _ in self.faults():
                pass
        return self._stated or {}

    def faults(self) -> Iterator[str]:
        """Read the table; yield what is wrong with rows that others contradict."""
        found = self._stated = {}
        self.named = Named()
        same: dict[_Row, _Shared] = {}
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                every = groupby(_rows(csv.reader(file)), itemgetter(slice(len(_KEY))))
                for (name, member, sha256), some in every:
                    self.named.add(name, member, sha256)
                    if (turned := self._turned_at.get((name, member))) is not None:
                        self._turned[sha256] = turned
                    cells = tuple(row[len(_KEY) :] for row in some)
                    mark = hash(tuple(row[:-1] for row in cells))
                    shared = [_shared(row[_ALIKE], same) for row in cells]
                    where = f"{name} {member}".rstrip()
                    for each in shared:
                        if each.wrong:
                            yield f"{each.wrong} of {where}"
                    first = found.get(sha256)
                    if first is None:
                        url = meant_by(cells[0][0])
                        found[sha256] = _stated(url, shared, mark)
                    elif first.mark != mark:
                        what = f"says of {where} what it does not say of the same"
                        yield f"{what} picture in another file"
            self._is_whole = True
        except FileNotFoundError:
            return  # who needs it says so
        except (OSError, csv.Error, LookupError, ValueError) as error:
            yield f"cannot be read to its end: {error!r:.200}"


def _rows(lines: Iterator[list[str]]) -> Iterator[_Row]:
    """Yield file, member, SHA-256, the cells of the source and its SPDX identifier.

    Raises:
        ValueError: the table lacks a column.
        IndexError: a row is too short.
    """
    header = next(lines, [])
    columns = (*_KEY, *_SOURCE, _SPDX)
    lacking = [each for each in columns if each not in header]
    if not set(lacking).issubset(_MAY_LACK):
        raise ValueError(f"it lacks {', '.join(lacking)}")
    # What is lacking is one of two cells that are added to each row.
    added = {MEMBER: -2, _SPDX: -1}
    pick = itemgetter(*(added[c] if c in lacking else header.index(c) for c in columns))
    for line in lines:
        if line:
            yield pick([*line, "", _NO_COLUMN])


def _shared(cells: _Row, same: dict[_Row, _Shared]) -> _Shared:
    found = same.get(cells)
    if found is None:
        name, address, _, author = map(meant_by, cells[:-1])
        meant, wrong = spdx_id(name, address), ""
        if cells[-1] != meant and cells[-1] is not _NO_COLUMN:
            wrong = f"has the SPDX identifier {cells[-1]!r} for {name} ({meant})"
        licence = name or UNKNOWN, address
        found = same[cells] = _Shared(licence, licence[:1], author, wrong)
    return found


def _stated(url: str, shared: Sequence[_Shared], mark: int) -> Stated:
    first = shared[0]
    licences = first.licences
    if len(shared) > 1:
        licences = tuple(dict.fromkeys(each.licence[0] for each in shared))
    return Stated(licences, first.licence, url, first.author, mark)
