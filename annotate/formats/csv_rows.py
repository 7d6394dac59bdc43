"""CSV files of questions and answers: the rows of a table, and bytes to write."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from icf.annotate.answers import Fault, Row
from icf.codes import RowFault
from icf.errors import BadInput
from icf.spreadsheet import BadRow, Table, TableRow, harmless


def read_rows(
    table: Table, columns: Iterable[str], read_row: Callable[[TableRow], Row]
) -> Iterator[Row]:
    """Yield a row for each row of a table; one that cannot be read is a fault.

    Args:
        table: the file.
        columns: those that are read.
        read_row: turns the cells of a row into an answer.

    Raises:
        BadInput: two columns have one of these names.
    """
    if twice := table.repeated(columns):
        raise BadInput(
            f"{table.file.path} has two columns {twice[0]!r}; rename the one that is "
            "not meant"
        )
    return (
        _fault(row) if isinstance(row, BadRow) else read_row(row)
        for row in table.rows()
    )


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The bytes of a CSV file; no cell is run as a formula by spreadsheets."""
    return csv_line(columns) + b"".join(map(csv_line, rows))


def csv_line(cells: Sequence[str]) -> bytes:
    """A row of a CSV file; no cell is run as a formula by spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_writable(cell) for cell in cells])
    return text.getvalue().encode()


def _fault(row: BadRow) -> Fault:
    reason = RowFault.BAD_ENCODING if row.encoding else RowFault.BAD_ROW
    return Fault(row.line, reason, row.why)


def _writable(cell: str) -> str:
    # Python's writer does not quote a bare CR, which would end the row.
    return harmless(cell).replace("\r\n", "\n").replace("\r", "\n")
