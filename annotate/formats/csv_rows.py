"""Tolerant CSV reading: a bad row is refused on its own, the others are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from icf.annotate.answers import Fault, Row, is_storable
from icf.codes import RowFault
from icf.spreadsheet import harmless

#: Column separators: a comma, or what some spreadsheets write instead.
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class CsvRow:
    """The cells of a row by column name.

    Attributes:
        line: the line where it begins, counted from 1.
        cells: the stripped cell of each column.
    """

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column; empty if there is no such column."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class CsvTable:
    """The lines of a CSV file, with its header parsed.

    Attributes:
        header: the column names.
        lines: all lines of the file, with their line ends.
        first: the index of the first line after the header.
        delimiter: the column separator.
    """

    header: tuple[str, ...]
    lines: Sequence[str]
    first: int
    delimiter: str

    def rows(self, optional_last: Sequence[str] = ()) -> Iterator[CsvRow | Fault]:
        """Every row that is not blank.

        An unclosed quotation mark would swallow all rows after it. Only the line with
        the mark is refused, and reading continues with the next line.

        Args:
            optional_last: names of the last columns whose cells may be missing.
        """
        widths = {len(self.header)}
        if tuple(self.header[-len(optional_last) :]) == tuple(optional_last):
            widths.add(len(self.header) - len(optional_last))
        at = self.first
        while at < len(self.lines):
            line = at + 1
            try:
                cells, used = _parse(self.lines, at, self.delimiter)
            except csv.Error as error:
                at += 1
                yield Fault(line, RowFault.BAD_ROW, f"it is not CSV: {error}")
                continue
            fits = len(cells) in widths
            at += used if fits else 1
            if fits:
                yield self._row(line, cells)
            elif any(cell.strip() for cell in cells):
                wrong = f"{len(cells)} columns, where the header has {len(self.header)}"
                yield Fault(line, RowFault.BAD_ROW, wrong)

    def _row(self, line: int, cells: Sequence[str]) -> CsvRow | Fault:
        if not all(map(is_storable, cells)):
            return Fault(line, RowFault.BAD_ENCODING, "it is not UTF-8")
        # The first of several columns with the same name counts.
        named: dict[str, str] = {}
        for name, cell in zip(self.header, _padded(cells, self.header), strict=True):
            named.setdefault(name, cell.strip())
        return CsvRow(line, named)


def read_csv(
    text: str,
    is_format: Callable[[Sequence[str]], bool],
    read_row: Callable[[CsvRow], Row],
    optional_last: Sequence[str] = (),
) -> Iterator[Row] | None:
    """Read a text as CSV, if its header is that of a format.

    Args:
        text: the content of the file.
        is_format: whether these column names belong to the format.
        read_row: turns the cells of a row into an answer.
        optional_last: names of the last columns whose cells may be missing.
    """
    for table in parse_tables(text):
        if is_format(table.header):
            return (
                row if isinstance(row, Fault) else read_row(row)
                for row in table.rows(optional_last)
            )
    return None


def parse_tables(text: str) -> Iterator[CsvTable]:
    """The text parsed with each possible delimiter, the most common first."""
    lines = list(io.StringIO(text, newline=""))
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return
    for delimiter in _DELIMITERS:
        try:
            header, used = _parse(lines, first, delimiter)
        except csv.Error:
            continue
        names = tuple(name.strip() for name in header)
        yield CsvTable(names, lines, first + used, delimiter)


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The bytes of a CSV file; no cell is run as a formula by spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_writable(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _writable(cell: str) -> str:
    # Python's writer does not quote a bare CR, which would end the row.
    return harmless(cell).replace("\r\n", "\n").replace("\r", "\n")


def _parse(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int]:
    """The row that begins at a line, and how many lines it spans."""
    rest = (lines[i] for i in range(at, len(lines)))
    reader = csv.reader(rest, delimiter=delimiter)
    return next(reader), reader.line_num


def _padded(cells: Sequence[str], header: Sequence[str]) -> list[str]:
    return [*cells, *[""] * (len(header) - len(cells))]
