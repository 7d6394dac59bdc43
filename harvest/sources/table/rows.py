"""The rows of a list: what its columns are called, and what a row has to have.

Each format has a module that yields rows as they stand in the file: the number of a row
(a line, where the format has lines) with its cells as text by column, or with what is
wrong with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from icf.errors import WrongUse
from icf.names import LONGEST_NAME, normal_name
from icf.spreadsheet import column_name
from icf.text_file import UNREADABLE

REQUIRED = ("album", "character", "url")
_NAMES = ("album", "character")
OPTIONAL = (
    "page",
    "licence",
    "licence_url",
    "author",
    "rank",
    "region",
    "style",
    "gender",
    "sha1",
    "lead",
    "fallback",
)

#: Other spellings of columns.
_ALSO = {"license": "licence", "license_url": "licence_url"}

Cells = Mapping[str, str]
Row = tuple[int, Cells | str]


class Rows(Protocol):
    """What each format has."""

    def check(self) -> None:
        """Look at the beginning of the file.

        Raises:
            WrongUse: it is not of the format, or lacks a column.
            OSError: it cannot be read.
        """

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""


def list_column(cell: str) -> str:
    """Return the name of a list's column however somebody spelled it.

    >>> list_column("License URL")
    'licence_url'
    """
    name = column_name(cell)
    return _ALSO.get(name, name)


def spelled_twice(names: Collection[str]) -> str | None:
    """Say which column a list has in two spellings, if one.

    >>> spelled_twice(["url", "licence", "License"])
    'the columns licence and license, which are one; remove one of them'
    """
    given = set(map(column_name, names))
    for other, name in _ALSO.items():
        if {other, name} <= given:
            return f"the columns {name} and {other}, which are one; remove one of them"
    return None


def checked(cells: Cells) -> Cells | str:
    """Return the cells without space around them, or what is wrong with them.

    >>> checked({"album": "Moon", "character": "", "url": "http://a/1"})
    'bad_row: no character'
    """
    together = "".join(cells.values())
    if not together.isascii() and UNREADABLE.search(together):
        return "bad_encoding: not UTF-8"
    row = {name: cell.strip() for name, cell in cells.items()}
    for name in _NAMES:
        row[name] = normal_name(row.get(name, ""))
        if len(row[name]) > LONGEST_NAME:
            return f"bad_row: the {name} has over {LONGEST_NAME} characters"
    empty = [name for name in REQUIRED if not row.get(name)]
    if empty:
        return f"bad_row: no {' and no '.join(empty)}"
    if "\0" in together:
        return "bad_row: a zero byte"
    return row


def texts_of(row: Mapping[str, object]) -> Cells | str:
    """Return what a CSV file would say for a row, or what is wrong with it.

    >>> texts_of({"rank": 3.0, "fallback": ["http://a/1", "http://a/2"]})
    {'rank': '3', 'fallback': 'http://a/1 http://a/2'}
    >>> texts_of({"album": ["Moon"]})
    'bad_row: album is not a single value'
    """
    texts = {}
    for name, value in row.items():
        several = value if name == "fallback" and isinstance(value, list) else [value]
        if any(isinstance(each, dict | list | tuple) for each in several):
            return f"bad_row: {name} is not a single value"
        texts[name] = " ".join(map(text_of, several))
    return texts


def text_of(value: object) -> str:
    """Return what a CSV file would say for a value.

    >>> text_of(None), text_of(True), text_of(3.0), text_of("Luna")
    ('', 'true', '3', 'Luna')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""  # data frames write NaN where a value is missing
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # integers in a column with missing values are floats
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="surrogateescape")
    return str(value)


def check_columns(where: str, names: Collection[str]) -> None:
    """See that the columns are there that every row needs, each once.

    Raises:
        WrongUse: one is not.
    """
    if twice_spelled := spelled_twice(names):
        raise WrongUse(f"{where} names {twice_spelled}")
    count = Counter(map(list_column, names))
    missing = [name for name in REQUIRED if not count[name]]
    twice = [name for name in (*REQUIRED, *OPTIONAL) if count[name] > 1]
    if twice:
        raise WrongUse(
            f"{where} names the column {twice[0]} twice; rename the one that is not "
            "meant"
        )
    if missing:
        raise WrongUse(
            f"{where} must name the columns {', '.join(REQUIRED)} (and may name "
            f"{', '.join(OPTIONAL)}); it lacks {', '.join(missing)}"
        )
