"""Lists in CSV: the first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from icf.harvest.sources.table.rows import Row, check_columns, checked

#: Stands for bytes that are not UTF-8 while a row is read, so that it can be named.
_NOT_UTF8 = "surrogateescape"


class CsvRows:
    """The rows of a CSV file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """See that the first line names the columns."""
        with self._path.open("rb") as file:
            text = file.readline().decode("utf-8-sig", errors="replace")
        names = next(csv.reader([text]), [])
        check_columns(f"{self._path}: the first line", map(_spelled, names))

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""
        return islice(self._rows(), start, None)

    def _rows(self) -> Iterator[Row]:
        with self._path.open(
            encoding="utf-8-sig", errors=_NOT_UTF8, newline=""
        ) as file:
            lines = csv.reader(file)
            header = [_spelled(name) for name in next(lines, [])]
            while True:
                first = lines.line_num + 1
                try:
                    cells = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield first, f"bad_row: {error}"
                    continue
                if not cells:
                    continue
                if len(cells) != len(header):
                    text = f"{len(cells)} columns, the header has {len(header)}"
                    yield first, f"bad_row: {text}"
                else:
                    yield first, checked(dict(zip(header, cells, strict=True)))


def _spelled(name: str) -> str:
    return name.strip().lower()
