"""Attribution of every picture: title, author, source, licence, and what was changed.

The four parts (TASL) and the changes are what CC BY and CC BY-SA ask for (version 4.0,
section 3.a).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from icf.dataset.licences import Source
from icf.names import normal_name, one_line
from icf.spdx import spdx_id
from icf.spreadsheet import harmless, write_csv

CSV, PAGE = "attribution.csv", "ATTRIBUTION.md"

UNCHANGED = "none: the bytes are as they were fetched"

#: Pictures that the page names one by one; of more it has authors with a count.
_MOST = 2_000
_UNKNOWN = "unknown"
_SPECIAL = str.maketrans({each: f"\\{each}" for each in r"\`*_[]<>|"})


@dataclass(frozen=True)
class Attribution:
    """One place where a picture was found, as an attribution names it."""

    sha256: str
    title: str
    author: str
    page: str
    licence: str
    spdx: str
    licence_url: str
    url: str
    changes: str


COLUMNS = tuple(each.name for each in fields(Attribution))
# `dataclasses.astuple` copies each cell, and takes longer than all the rest.
_CELLS = attrgetter(*COLUMNS)


def attributions(
    pictures: Iterable[tuple[str, Sequence[Source]]], changes: str = UNCHANGED
) -> Iterator[Attribution]:
    """Make an attribution of each source of each picture.

    Args:
        pictures: SHA-256 and sources of each different picture.
        changes: what was done to the pictures.
    """
    for sha256, sources in pictures:
        for each in sources:
            yield Attribution(
                sha256,
                title_of(each.page or each.url),
                each.author,
                each.page,
                each.licence,
                spdx_id(each.licence, each.licence_url),
                each.licence_url,
                each.url,
                changes,
            )


def changes_of(summary: Mapping[str, Any]) -> str:
    """What was done to the pictures of a release.

    Args:
        summary: its ``release.json``.
    """
    crops = summary["settings"].get("crops")
    if crops is None:
        return UNCHANGED
    return (
        "in the recognition set cut around the face, with the box enlarged by "
        f"{crops['rate']:g}, as JPEG of quality {crops['quality']}; in the detection "
        "set none"
    )


def title_of(address: str) -> str:
    """The last part of an address, in words.

    >>> title_of("https://toons.test/wiki/File:Ann_%26_Bob.png?x=1")
    'Ann & Bob.png'
    """
    path = address.partition("#")[0].partition("?")[0].rstrip("/")
    last = unquote(path.rpartition("/")[2])
    return one_line(last.removeprefix("File:").replace("_", " "))


def write_attribution(folder: Path, rows: Iterable[Attribution]) -> None:
    """Write `CSV`, all of them, and `PAGE`, for people.

    Args:
        folder: to write into.
        rows: those of one picture one after the other; they are not kept.
    """
    seen = _Seen()
    cells = (tuple(map(harmless, _CELLS(each))) for each in seen.passing(rows))
    write_csv(folder / CSV, COLUMNS, cells)
    (folder / PAGE).write_text(seen.page(), encoding="utf-8")


class _Seen:
    """What the page needs of the rows that were written."""

    def __init__(self) -> None:
        self._first: list[Attribution] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._changes: set[str] = set()
        self._pictures = 0

    def passing(self, rows: Iterable[Attribution]) -> Iterator[Attribution]:
        """Yield the rows as they are, and count them."""
        last = ""
        for each in rows:
            self._pictures += each.sha256 != last
            last = each.sha256
            if len(self._first) <= _MOST:
                self._first.append(each)
            self._counts[each.spdx, each.author] += 1
            self._changes.add(each.changes)
            yield each

    def page(self) -> str:
        """Return the page in Markdown: every row, or of very many the authors."""
        head = _head(self._pictures, sorted(self._changes))
        if len(self._first) <= _MOST:
            lines = ["| title | author | licence |", "| --- | --- | --- |"]
            lines += [_line(each) for each in self._first]
        else:
            lines = ["| licence | author | pictures |", "| --- | --- | ---: |"]
            lines += _by_author(self._counts)
        return head + "\n".join(lines) + "\n"


def _head(pictures: int, changes: Sequence[str]) -> str:
    return (
        f"# Attribution\n\nWhat sources state of {pictures:,} "
        f"pictures. `{CSV}` has the same with the SHA-256 of each, and\n`licences.csv` "
        f"the file of each.\n\nChanges made: {'; '.join(changes) or UNCHANGED}.\n\n"
    )


def _line(row: Attribution) -> str:
    title = _link(row.title or row.sha256[:12], row.page or row.url)
    licence = _link(row.licence, row.licence_url)
    return f"| {title} | {_plain(row.author) or _UNKNOWN} | {licence} |"


def _by_author(counts: Mapping[tuple[str, str], int]) -> Iterator[str]:
    for (spdx, author), count in sorted(counts.items()):
        yield f"| {spdx} | {_plain(author) or _UNKNOWN} | {count:,} |"


def _link(text: str, address: str) -> str:
    if urlsplit(address).scheme not in ("http", "https"):
        return _plain(text)
    safe = "".join(
        quote(c) if c in "<> |" or not c.isprintable() else c for c in address
    )
    return f"[{_plain(text)}](<{safe}>)"


def _plain(text: str) -> str:
    """One line without Markdown, HTML and invisible characters."""
    return normal_name(text).translate(_SPECIAL)
