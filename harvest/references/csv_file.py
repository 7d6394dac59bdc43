"""Import `references.csv`: the chosen reference of each character.

Invalid rows are reported by line; the others are imported.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue import references
from icf.catalogue.find_character import find_character
from icf.catalogue.schema import album, character
from icf.catalogue.tombstones import is_buried_character
from icf.errors import BadInput, IcfError, WrongUse
from icf.harvest.references.by_hand import find_image
from icf.names import normal_name
from icf.spreadsheet import BadRow, TableRow, harmless, read_table
from icf.text_file import open_text

#: A character, by ``id`` or by names, and the choice.
COLUMNS = ("id", "album", "character", "choice")
#: The choice of no reference.
NONE = "none"

_FACE = re.compile(r"face:([0-9]{1,18})")
_IMAGE = re.compile(r"image:([0-9a-fA-F]{64})")
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Row:
    """A line of the file by column; missing columns are empty."""

    line: int
    id: str
    album: str
    character: str
    choice: str


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        faces: number of characters with a new reference.
        waiting: number of characters whose picture the filter must process first.
        none: number of characters without a reference.
        bad: the invalid lines.
    """

    faces: int
    waiting: int
    none: int
    bad: tuple[BadRow, ...]


def read_rows(path: Path) -> list[Row | BadRow]:
    """Read the lines of a file.

    Raises:
        WrongUse: there is no such file.
        BadInput: its first line names other columns, or one of them twice.
    """
    try:
        table = read_table(open_text(path))
        if table is None:
            raise BadInput(f'{path} is empty; the page\'s "Save choices" writes it')
        header = table.header
        if "choice" not in header or not {"id", "character"} & set(header):
            raise BadInput(
                f"{path}: the first line must name the columns {', '.join(COLUMNS)}; "
                f"it is {table.first[:100]!r}"
            )
        if twice := table.repeated(COLUMNS):
            raise BadInput(f"{path}: the first line names the column {twice[0]} twice")
        return [row if isinstance(row, BadRow) else _row(row) for row in table.rows()]
    except OSError as error:
        raise WrongUse(f"cannot read {path}: {error.strerror}") from error


def _row(row: TableRow) -> Row:
    return Row(row.line, *(row.cells.get(column, "") for column in COLUMNS))


def import_rows(
    connection: sa.Connection, run_id: int, rows: list[Row | BadRow]
) -> Imported:
    """Import the valid rows, in the caller's transaction."""
    bad: list[BadRow] = []
    lines: dict[int, int] = {}
    counts = {"faces": 0, "waiting": 0, "none": 0}
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        try:
            character_id = _character_id(connection, row)
            if character_id in lines:
                raise BadInput(
                    f"line {lines[character_id]} has chosen for this character"
                )
            counts[_choose(connection, run_id, character_id, row.choice)] += 1
            lines[character_id] = row.line
        except IcfError as error:
            bad.append(BadRow(row.line, str(error)))
    return Imported(**counts, bad=tuple(bad))


def _choose(
    connection: sa.Connection, run_id: int, character_id: int, choice: str
) -> str:
    if choice.lower() == NONE:
        references.choose_none(connection, run_id, character_id)
        return "none"
    if match := _FACE.fullmatch(choice):
        references.choose_face(connection, run_id, character_id, int(match[1]))
        return "faces"
    if match := _IMAGE.fullmatch(choice):
        image_id = find_image(connection, match[1])
        chosen = references.choose_image(connection, run_id, character_id, image_id)
        return "waiting" if chosen is None else "faces"
    raise BadInput(f"the choice {choice!r} is none of face:N, image:SHA256, none")


def _character_id(connection: sa.Connection, row: Row) -> int:
    """Return the character's id; check the names of the row if it has an id."""
    if not row.id:
        return _by_names(connection, row)
    if not _ID.fullmatch(row.id):
        raise BadInput(f"the id {row.id!r} is no number")
    query = (
        sa.select(album.c.name.label("album"), character.c.name.label("character"))
        .join(album, album.c.id == character.c.album_id)
        .where(character.c.id == int(row.id), ~is_buried_character())
    )
    known = connection.execute(query).one_or_none()
    if known is None:
        raise BadInput(f"the catalogue has no character {row.id}")
    for written, name in ((row.album, known.album), (row.character, known.character)):
        if written and not _is_same(written, name):
            raise BadInput(
                f"character {row.id} is {known.character!r} of {known.album!r} here; "
                "the file is from another workspace"
            )
    return int(row.id)


def _by_names(connection: sa.Connection, row: Row) -> int:
    if not row.character:
        raise BadInput("it names no character")
    try:
        return find_character(connection, row.character, row.album or None)
    except WrongUse:
        # A spreadsheet saves names like "=5" with a leading apostrophe.
        bare = [cell.removeprefix("'") for cell in (row.character, row.album)]
        if bare == [row.character, row.album]:
            raise
        return find_character(connection, bare[0], bare[1] or None)


def _is_same(written: str, name: str) -> bool:
    """Whether a cell has a name, in any form in which a spreadsheet saves it."""
    shown = one_line(name)
    alike = {normal_name(shown), normal_name(harmless(shown))}
    return normal_name(one_line(written)) in alike


def row_start(character_id: int, album_name: str, name: str) -> str:
    """Return the start of a row, up to its choice, safe for spreadsheets.

    >>> row_start(7, "Cats", "=Tom")
    "7,Cats,'=Tom,"
    """
    text = io.StringIO()
    cells = [harmless(one_line(each)) for each in (album_name, name)]
    csv.writer(text, lineterminator="").writerow([character_id, *cells, ""])
    return text.getvalue()


def one_line(name: str) -> str:
    r"""Return a name on one line.

    >>> one_line("Tom\n and  Jerry ")
    'Tom and Jerry'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())
