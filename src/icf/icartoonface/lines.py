"""Text files as numbered rows, shared by all published row formats."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from icf.errors import BadInput
from icf.stores.files import replace_file
from icf.text_file import UNREADABLE, open_text

_SHOWN = 120


@dataclass(frozen=True)
class LineStyle:
    r"""The line ends of a file, kept so that it can be written back byte for byte.

    Attributes:
        newline: ``"\n"``, ``"\r\n"`` or ``"\r"``.
        closed: Whether the last line ends with a newline.
    """

    newline: str = "\n"
    closed: bool = True


LF = LineStyle()


@dataclass(frozen=True)
class Row:
    """One line of a file, without its end.

    Attributes:
        path: The file it was read from.
        number: Its line number, from 1.
        text: Its text.
    """

    path: Path
    number: int
    text: str

    def fail(self, expected: str, found: str | None = None) -> NoReturn:
        """Raise ``BadInput`` that names file, line, what was expected and found.

        Args:
            expected: What the format expects here.
            found: What was found instead; by default the whole line.
        """
        shown = repr(self.text[:_SHOWN]) if found is None else found
        raise BadInput(
            f"{self.path}, line {self.number}: expected {expected}, found {shown}"
        )


@dataclass(frozen=True)
class Lines:
    """Where the rows of a table were read.

    Attributes:
        path: The file.
        numbers: The line of each row, from 1.
    """

    path: Path
    numbers: Sequence[int]

    def name(self, row: int) -> str:
        """Name the line of a row, as errors do.

        Example:
            >>> Lines(Path("a.csv"), [1, 3]).name(1)
            'a.csv, line 3'
        """
        return f"{self.path}, line {self.numbers[row]}"


def read_rows(path: Path) -> tuple[list[Row], LineStyle]:
    """Read a text file as numbered rows, in whatever encoding `open_text` finds.

    A byte order mark is dropped. The style is the first line's; a file with no line
    end at all has the default newline. Lines may end with LF and with CRLF; a lone CR
    among them ends none, and could hide a line within another.

    Raises:
        BadInput: The file cannot be read, its encoding is unknown, it has a zero byte,
            or a lone CR in a line.
    """
    try:
        with open_text(path).open() as file:
            text = file.read()
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    if unreadable := UNREADABLE.search(text):
        number = text.count("\n", 0, unreadable.start()) + 1
        raise BadInput(
            f"{path}, line {number}: expected UTF-8 text, "
            f"found byte 0x{ord(unreadable[0]) & 0xFF:02x}"
        )
    newline = _newline(text)
    lines = text.split("\r" if newline == "\r" else "\n")
    closed = lines[-1] == ""
    if closed:
        lines.pop()
    rows = [Row(path, i, line.removesuffix("\r")) for i, line in enumerate(lines, 1)]
    _check_signs(text, rows)
    return rows, LineStyle(newline, closed)


def _check_signs(text: str, rows: Sequence[Row]) -> None:
    """Refuse what damaged files and mixed ones have, and no name and no number has."""
    if "\0" in text:
        row = next(each for each in rows if "\0" in each.text)
        row.fail("text", f"a zero byte at column {row.text.index(chr(0)) + 1}")
    if "\r" in text:
        for row in rows:
            if "\r" in row.text:
                row.fail("LF or CRLF at the end of each line", "a lone CR in this one")


def _newline(text: str) -> str:
    first, line_feed, _ = text.partition("\n")
    if line_feed:
        return "\r\n" if first.endswith("\r") else "\n"
    return "\r" if "\r" in text else "\n"


def below_folder(row: Row, name: str) -> str:
    """Return a picture's name, which never leads out of the folder of the pictures.

    Raises:
        BadInput: It is absolute, or goes up.

    Example:
        >>> below_folder(Row(Path("a.txt"), 1, ""), "a/0.jpg")
        'a/0.jpg'
    """
    # A look at the text first: nearly no name has either.
    if name.startswith("/") or (".." in name and ".." in name.split("/")):
        row.fail("a picture below the folder of the pictures", repr(name[:_SHOWN]))
    return name


def plain_numbers(fields: Sequence[str], *, decimal_comma: bool = False) -> list[float]:
    """Return numbers that are written in plain digits.

    Python itself would also read underscores and the digits of other scripts.

    Args:
        fields: As written.
        decimal_comma: Whether a comma may stand before the decimals.

    Raises:
        ValueError: One is none. What is not finite is a number here.

    Example:
        >>> plain_numbers(["1", "0.5"]), plain_numbers(["0,5"], decimal_comma=True)
        ([1.0, 0.5], [0.5])
    """
    if decimal_comma:
        fields = [field.replace(",", ".") for field in fields]
    together = "".join(fields)
    if "_" in together or not together.isascii():
        raise ValueError("underscores, or digits of another script")
    return [float(field) for field in fields]


def write_rows(path: Path, rows: Iterable[str], style: LineStyle) -> None:
    """Write rows as UTF-8 under a temporary name, then give the file its name.

    Args:
        path: The file to make or to replace.
        rows: Lines without their ends.
        style: How to end them.
    """
    replace_file(path, _encoded(rows, style))


def _encoded(rows: Iterable[str], style: LineStyle) -> Iterator[bytes]:
    """Encode each row after the line end of the one before it."""
    end = ""
    for row in rows:
        yield f"{end}{row}".encode()
        end = style.newline
    if style.closed and end:
        yield end.encode()


def checked_name(name: str, forbidden: str) -> str:
    """Check that the format can hold a file name, and return it.

    Args:
        name: A picture's name or path inside the release.
        forbidden: The characters that separate fields in this format.

    Raises:
        BadInput: The name is empty or contains a separator, a line end or a zero byte.

    Example:
        >>> checked_name("a/0.jpg", ",")
        'a/0.jpg'
    """
    if not name or any(c in name for c in forbidden + "\r\n\0"):
        raise BadInput(
            f"cannot write the picture name {name!r}: expected at least one character "
            f"and none of {forbidden!r}, CR, LF and zero bytes; rename the picture"
        )
    return name
