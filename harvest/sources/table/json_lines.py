"""Lists in JSON Lines: an object a line, its keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from icf.harvest.sources.table.rows import Row, check_columns, checked, text_of

#: A line with more bytes than this is no row of a list.
_LONGEST = 1 << 20


class JsonRows:
    """The rows of a JSON Lines file; empty lines are none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """See that the first row, if it is one, has the columns."""
        for _, line in islice(self._lines(), 1):
            found = _object(line)
            if isinstance(found, dict):
                check_columns(f"{self._path}: the first line", found)

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""
        for number, line in islice(self._lines(), start, None):
            found = _object(line)
            yield number, found if isinstance(found, str) else checked(found)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST):
                number += 1
                end = line
                while len(end) == _LONGEST and not end.endswith(b"\n"):
                    end = file.readline(_LONGEST)  # the rest of an endless line
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield number, line


def _object(line: bytes) -> dict[str, str] | str:
    """Return the cells of a line, or what is wrong with it."""
    if len(line) == _LONGEST:
        return f"bad_row: a line of {_LONGEST} bytes or more"
    try:
        found: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "bad_encoding: not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"bad_row: not JSON: {error}"
    if not isinstance(found, dict):
        return "bad_row: not a JSON object"
    nested = [key for key, value in found.items() if isinstance(value, dict | list)]
    if nested:
        return f"bad_row: {nested[0]} is not a single value"
    return {key.strip().lower(): text_of(value) for key, value in found.items()}
