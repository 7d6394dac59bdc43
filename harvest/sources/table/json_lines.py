"""Lists in JSON Lines: an object a line, its keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from icf.harvest.sources.table.rows import (
    Cells,
    Row,
    check_columns,
    checked,
    list_column,
    spelled_twice,
    texts_of,
)
from icf.text_file import UNREADABLE, open_text

#: A line with more characters than this is no row of a list.
_LONGEST = 1 << 20


class JsonRows:
    """The rows of a JSON Lines file; empty lines are none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """See that the first row, if it is one, has the columns."""
        for _, line in islice(self._lines(), 1):
            found = _object(line)
            if not isinstance(found, str):
                check_columns(f"{self._path}: the first line", found)

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""
        for number, line in islice(self._lines(), start, None):
            found = _object(line)
            yield number, found if isinstance(found, str) else checked(found)

    def _lines(self) -> Iterator[tuple[int, str]]:
        lines = open_text(self._path).lines(_LONGEST)
        return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _object(line: str) -> Cells | str:
    """Return the cells of a line, or what is wrong with it."""
    if len(line) == _LONGEST:
        return f"bad_row: a line of {_LONGEST} characters or more"
    if UNREADABLE.search(line):
        return "bad_encoding: not UTF-8"
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"bad_row: not JSON: {error}"
    if not isinstance(found, dict):
        return "bad_row: not a JSON object"
    named = {list_column(key): value for key, value in found.items()}
    if len(named) < len(found):
        return f"bad_row: {spelled_twice(found) or 'two keys for one column'}"
    return texts_of(named)
