"""Lists in CSV, as spreadsheets save it: the first line names the columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from icf.harvest.sources.table.rows import (
    Row,
    check_columns,
    checked,
    list_column,
)
from icf.spreadsheet import BadRow, Table, read_table
from icf.text_file import open_text


class CsvRows:
    """The rows of a CSV file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table: Table | None = None

    def check(self) -> None:
        """See that the first line names the columns."""
        self._table = read_table(open_text(self._path))
        names = self._table.header if self._table else ()
        check_columns(f"{self._path}: the first line", names)

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""
        return islice(self._rows(), start, None)

    def _rows(self) -> Iterator[Row]:
        table = self._table or read_table(open_text(self._path))
        if table is not None:
            table = replace(table, header=tuple(map(list_column, table.header)))
        for row in table.rows() if table else ():
            if isinstance(row, BadRow):
                kind = "bad_encoding" if row.encoding else "bad_row"
                yield row.line, f"{kind}: {row.why}"
            else:
                yield row.line, checked(row.cells)
