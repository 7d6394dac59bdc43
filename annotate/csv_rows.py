"""CSV files written by many hands: every row is read, or refused by itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from icf.annotate.answers import Fault, is_text
from icf.codes import RowFault
from icf.spreadsheet import harmless

#: What separates columns: a comma, or what some spreadsheets write for one.
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class CsvRow:
    """A row by its columns' names.

    Attributes:
        line: where it begins, counted from 1.
        cells: what stands in each column, without the space around it.
    """

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column; empty where there is no such column."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class CsvTable:
    """A CSV file cut into lines, its header read.

    Attributes:
        header: the columns' names.
        lines: all lines of the file, with their ends.
        first: the index of the first line after the header.
        delimiter: what separates columns.
    """

    header: tuple[str, ...]
    lines: Sequence[str]
    first: int
    delimiter: str

    def rows(self, optional_last: Sequence[str] = ()) -> Iterator[CsvRow | Fault]:
        """Every row that is not blank.

        A quotation mark that is never closed would swallow all rows after it; only the
        line where it stands is refused, and reading goes on with the next one.

        Args:
            optional_last: names of last columns whose cells may be missing.
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
        if not all(map(is_text, cells)):
            return Fault(line, RowFault.BAD_ENCODING, "it is not UTF-8")
        # Of two columns with one name, the first counts.
        named: dict[str, str] = {}
        for name, cell in zip(self.header, _padded(cells, self.header), strict=True):
            named.setdefault(name, cell.strip())
        return CsvRow(line, named)


def parse_tables(text: str) -> Iterator[CsvTable]:
    """The ways in which a text may be meant as CSV, the likeliest first."""
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
    """The bytes of a CSV file, its cells harmless to spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_writable(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _writable(cell: str) -> str:
    # Python's writer leaves a bare CR outside of quotes, where it would end the row.
    return harmless(cell).replace("\r\n", "\n").replace("\r", "\n")


def _parse(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int]:
    """The row that begins at a line, and how many lines it takes."""
    rest = (lines[i] for i in range(at, len(lines)))
    reader = csv.reader(rest, delimiter=delimiter)
    return next(reader), reader.line_num


def _padded(cells: Sequence[str], header: Sequence[str]) -> list[str]:
    return [*cells, *[""] * (len(header) - len(cells))]
