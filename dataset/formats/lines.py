"""Text files as numbered rows, shared by all published row formats."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from icf.errors import BadInput
from icf.stores.files import replace_file

_SHOWN = 120


@dataclass(frozen=True)
class LineStyle:
    r"""The line ends of a file, kept so that it can be written back byte for byte.

    Attributes:
        newline: ``"\n"`` or ``"\r\n"``.
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


def read_rows(path: Path) -> tuple[list[Row], LineStyle]:
    """Read a UTF-8 text file as numbered rows.

    A byte order mark is dropped. The style is the first line's; a file with no line
    end at all has the default newline.

    Raises:
        BadInput: The file cannot be read or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        number = data[: e.start].count(b"\n") + 1
        raise BadInput(
            f"{path}, line {number}: expected UTF-8 text, "
            f"found byte 0x{data[e.start]:02x}"
        ) from e
    lines = text.split("\n")
    closed = lines[-1] == ""
    newline = "\r\n" if len(lines) > 1 and lines[0].endswith("\r") else "\n"
    if closed:
        lines.pop()
    rows = [Row(path, i, line.removesuffix("\r")) for i, line in enumerate(lines, 1)]
    return rows, LineStyle(newline, closed)


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
        BadInput: The name is empty or contains a separator or a line end.

    Example:
        >>> checked_name("a/0.jpg", ",")
        'a/0.jpg'
    """
    if not name or any(c in name for c in forbidden + "\r\n"):
        raise BadInput(
            f"cannot write the picture name {name!r}: expected at least one character "
            f"and none of {forbidden!r}, CR and LF; rename the picture"
        )
    return name
