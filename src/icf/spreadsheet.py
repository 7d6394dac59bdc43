"""Tables as spreadsheets write and read them; every CSV that comes in is read here."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from icf.errors import BadInput
from icf.names import normal_name
from icf.text_file import UNREADABLE, TextFile, open_text

_ESCAPED = re.compile("'+[=+\\-@\t\r\n]")
_ESCAPE = re.compile("'*[=+\\-@\t\r\n]")

#: Column separators: a comma, or what some spreadsheets write instead.
DELIMITERS = (",", ";", "\t", "|")
#: What Excel puts above a table for itself.
_SEPARATOR = re.compile(r'"?sep=(.)"?[\s,;|]*', re.IGNORECASE)
_BLANK = re.compile(r'[\s,;|"]*')

#: Characters of a line, and of a row, whose cells may contain line ends.
_LONGEST = 1 << 17
#: Lines that a cell may span. A quotation mark that nobody closed is looked for no
#: further, so that reading takes time in proportion to the lines.
_SPAN = 100

#: How spreadsheets in other languages write the values that are TRUE and FALSE in
#: English, and what people type.
_TRUE = (
    *("true yes y 1", "wahr ja", "vrai oui", "verdadero sí si", "vero", "verdadeiro"),
    *("waar", "sant", "sand", "sann", "tosi", "prawda", "pravda", "igaz", "adevărat"),
    *("истина да", "істина", "doğru evet", "αληθεσ", "cert", "tõene", "istina"),
    *("tiesa teisinga", "patiess", "egia", "đúng", "satt", "benar", "真 是", "はい"),
    "1.0 1,0",
)
_FALSE = (
    *("false no n 0", "falsch nein", "faux non", "falso", "onwaar nee", "falskt"),
    *("falsk", "usann", "epätosi", "fałsz", "nepravda", "hamis", "fals", "ложь нет"),
    *(
        "хибність хиба",
        "yanliş yanl\u0131ş hayir hay\u0131r",
        "ψευδεσ",
        "väär",
        "neistina",
        "netiesa",
    ),
    *("klaidinga", "aplams", "gezurra", "sai", "ósatt", "salah", "laž", "假 否"),
    *("いいえ", "0.0 0,0"),
)
_TRUTHS = {
    word.casefold(): truth
    for words, truth in ((_TRUE, True), (_FALSE, False))
    for word in " ".join(words).split()
}

_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def harmless(cell: str) -> str:
    """Escape a cell that a spreadsheet would run as a formula.

    >>> harmless("=1+1"), harmless("CC0")
    ("'=1+1", 'CC0')
    """
    # One that looks escaped is escaped once more, so that `meant_by` is the inverse.
    return f"'{cell}" if _ESCAPE.match(cell) else cell


def meant_by(cell: str) -> str:
    """Return what `harmless` made a cell of.

    >>> meant_by("'=1+1"), meant_by("'tis"), meant_by(harmless("'=1"))
    ('=1+1', "'tis", "'=1")
    """
    return cell[1:] if _ESCAPED.match(cell) else cell


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a CSV file with a header (RFC 4180); cells are written as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def truth_of(cell: str) -> bool | None:
    """Return what a cell says, wide letters too; None: neither true nor false.

    >>> truth_of("WAHR"), truth_of(" no "), truth_of("perhaps")
    (True, False, None)
    """
    if not cell:
        return None
    narrow = unicodedata.normalize("NFKC", cell)
    return _TRUTHS.get(normal_name(narrow).casefold())


def column_name(cell: str) -> str:
    """Return the name of a column however somebody spelled it.

    >>> column_name(" Batch ID ")
    'batch_id'
    """
    return re.sub(r"[\s_]+", "_", normal_name(cell).strip("'\"").casefold())


def number_of(cell: str, *, decimal_comma: bool = False) -> float:
    """Return a number in plain digits: no underscore, no digits of other scripts.

    Args:
        cell: as written.
        decimal_comma: whether a comma may stand before the decimals.

    Raises:
        ValueError: it is none.

    >>> number_of("0,5", decimal_comma=True)
    0.5
    """
    text = cell.strip()
    if not _NUMBER.fullmatch(text) or ("," in text and not decimal_comma):
        raise ValueError(f"{cell!r} is not a number")
    return float(text.replace(",", "."))


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        line: the line where it begins, counted from 1.
        cells: by column, without the space around them; missing last cells are empty.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read.

    Attributes:
        line: the line where it begins.
        why: what is wrong with it.
        encoding: whether bytes are wrong, and not the form.
    """

    line: int
    why: str
    encoding: bool = False

    def __str__(self) -> str:
        """Return where and why."""
        return f"line {self.line}: {self.why}"


@dataclass(frozen=True)
class Table:
    """A CSV file whose first line names its columns.

    Attributes:
        file: how its bytes are read.
        delimiter: between its cells.
        header: the names of its columns, as `column_name` spells them.
        first: its first line that is not blank, as written.
    """

    file: TextFile
    delimiter: str
    header: tuple[str, ...]
    first: str

    def repeated(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that several columns have."""
        count = Counter(self.header)
        return [name for name in names if count[name] > 1]

    def rows(self) -> Iterator[TableRow | BadRow]:
        """Yield every row that is not blank; a bad one affects no other.

        The header is no row where it comes again, as in files that were put together.
        A cell may contain line ends. A quotation mark that is not closed would swallow
        all rows after it: only its line is bad, and reading goes on with the next.
        """
        lines = _Lines(self.file, self.delimiter)
        header = lines.cells(len(self.header), skip_separator=True)
        names = header[1] if header else None
        while (found := lines.cells(len(self.header))) is not None:
            line, cells = found
            if isinstance(cells, BadRow):
                yield cells
            elif any(cells) and not _is_again(names, cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> TableRow | BadRow:
        width = len(self.header)
        if len(cells) > width and any(cells[width:]):
            wrong = f"{len(cells)} columns, where the header has {width}"
            return BadRow(line, wrong)
        # Spreadsheets leave out empty cells at the end of a row, or add some.
        named = zip_longest(self.header, cells[:width], fillvalue="")
        return TableRow(line, dict(named))


def _is_again(names: list[str] | BadRow | None, cells: list[str]) -> bool:
    """Whether a row is the header of several columns once more."""
    if not isinstance(names, list) or len(names) < 2 or cells[-1] != names[-1]:
        return False
    return cells[1:] == names[1:] and cells[0].lstrip("\ufeff") == names[0]


def read_table(file: TextFile) -> Table | None:
    """Return a CSV file's table; None if the file is blank.

    The delimiter is the one that Excel's ``sep=`` names, else the one that gives the
    first line the most columns.

    Raises:
        OSError: the file cannot be read.
        BadInput: its first line is no text, or no CSV.
    """
    lines = file.lines(_LONGEST)
    first = next((line for line in lines if not _BLANK.fullmatch(line)), None)
    if first is None:
        return None
    stated = _SEPARATOR.fullmatch(first)
    found = []
    bad: BadRow | None = None
    for delimiter in (stated[1],) if stated else DELIMITERS:
        _, cells = _Lines(file, delimiter).cells(skip_separator=True) or (0, [])
        if isinstance(cells, BadRow):
            bad = cells
        elif cells:
            header = tuple(map(column_name, cells))
            found.append(Table(file, delimiter, header, first.strip()))
    if bad is not None and not found:
        raise BadInput(f"{file.path}, {bad}; the first line must name the columns")
    return max(found, key=lambda table: len(table.header), default=None)


class _Lines:
    """The lines of a file, taken as rows, with those that were looked at too early."""

    def __init__(self, file: TextFile, delimiter: str) -> None:
        self._lines = file.lines(_LONGEST)
        self._delimiter = delimiter
        self._ahead: deque[str] = deque()
        self._number = 0

    def cells(
        self, width: int | None = None, *, skip_separator: bool = False
    ) -> tuple[int, list[str] | BadRow] | None:
        """Return the next row with the line where it begins; None at the end.

        Args:
            width: columns of the table. A row of several lines must not have more.
            skip_separator: pass over blank lines and Excel's ``sep=``, to the header.
        """
        while (line := self._next()) is not None:
            if skip_separator and (
                _BLANK.fullmatch(line) or _SEPARATOR.fullmatch(line)
            ):
                continue
            number = self._number
            return number, self._parsed(line, width)
        return None

    def _next(self) -> str | None:
        line = self._ahead.popleft() if self._ahead else next(self._lines, None)
        self._number += line is not None
        return line

    def _parsed(self, line: str, width: int | None) -> list[str] | BadRow:
        if len(line) >= _LONGEST:
            return BadRow(self._number, f"a line of {_LONGEST} characters or more")
        if not line.isascii() and UNREADABLE.search(line):
            return BadRow(self._number, "it is not UTF-8", encoding=True)
        if "\0" in line:
            return BadRow(self._number, "a zero byte", encoding=True)
        if '"' in line:
            return self._quoted(line, width)
        return [cell.strip() for cell in line.split(self._delimiter)]

    def _quoted(self, line: str, width: int | None) -> list[str] | BadRow:
        """Parse a row with quotation marks, in which cells may span lines."""
        ended = False
        taken = [line]

        def lines() -> Iterator[str]:
            nonlocal ended
            yield line
            size = len(line)
            for more in self._peek():
                size += len(more)
                if size > _LONGEST:
                    break
                taken.append(more)
                yield more
            ended = True

        try:
            cells = self._row_of(lines())
        except csv.Error as error:
            return BadRow(self._number, f"it is not CSV: {error}")
        if ended or not self._closes(taken):
            return BadRow(self._number, "it is not CSV: a quotation mark is not closed")
        more = len(taken) - 1
        if more and width is not None and len(cells) != width:
            wrong = f"{len(cells)} columns in {more + 1} lines, the header has {width}"
            return BadRow(self._number, f"it is not CSV: {wrong}")
        together = "".join(cells) if more else ""
        for _ in range(more):
            self._next()
        if UNREADABLE.search(together) or "\0" in together:
            return BadRow(self._number - more, "it is not UTF-8", encoding=True)
        return [cell.strip() for cell in cells]

    def _closes(self, lines: Sequence[str]) -> bool:
        """Whether it is a mark of their own that ends a cell of several lines.

        Where text follows at once, the mark belongs to another row's cell.
        """
        if len(lines) == 1:
            return True
        blanks = " " if self._delimiter == "\t" else " \t"
        follows = rf'"[{blanks}]+(?=[{re.escape(self._delimiter)}\r\n]|$)'
        closed = [re.sub(follows, '"', line) for line in lines]
        try:
            return bool(self._row_of(closed, strict=True))
        except csv.Error:
            return False

    def _row_of(self, lines: Iterable[str], *, strict: bool = False) -> list[str]:
        delimiter = self._delimiter
        return next(
            csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)
        )

    def _peek(self) -> Iterator[str]:
        """Yield the lines that follow, without taking them."""
        for at in range(_SPAN):
            if at == len(self._ahead):
                line = next(self._lines, None)
                if line is None:
                    return
                self._ahead.append(line)
            yield self._ahead[at]


def rows_of(
    path: Path, *columns: str, later: Sequence[str] = ()
) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a table that this program wrote, as they are meant.

    Args:
        path: of the table.
        columns: that it has.
        later: columns that tables of earlier versions lack; they are empty there.

    Raises:
        BadInput: it cannot be read, or lacks one of the columns.
    """
    for _, cells in numbered_rows_of(path, *columns, later=later):
        yield cells


def numbered_rows_of(
    path: Path, *columns: str, later: Sequence[str] = ()
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Do as `rows_of`, and yield the line where each row begins too."""
    try:
        table = read_table(open_text(path))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    missing = [each for each in columns if not table or each not in table.header]
    if table is None or missing:
        raise BadInput(f"{path}: it has no column {', '.join(missing)}")
    for row in table.rows():
        if isinstance(row, BadRow):
            raise BadInput(f"{path}, {row}")
        cells = {name: meant_by(row.cells.get(name, "")) for name in (*columns, *later)}
        yield row.line, cells
