"""Known pairs of a CSV file that a person wrote.

Each row has a face (its number, as `icf why 12` knows it), a character (``ALBUM/NAME``,
or ``character:N``) and the answer, true or false. The face is shown beside the
reference that the character has.
"""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.answers import parse_choice
from icf.annotate.gold.make import HAND, Known, read_truths
from icf.catalogue.find_character import find_character
from icf.catalogue.schema import character, face
from icf.codes import Choice
from icf.errors import BadInput, WrongUse
from icf.spreadsheet import BadRow, TableRow, read_table
from icf.text_file import open_text

COLUMNS = ("face", "character", "answer")

_FACE = re.compile(r"(?:face:)?([0-9]{1,18})")


def read_known(connection: sa.Connection, path: Path) -> list[Known]:
    """Read the file; all of it, or nothing.

    Args:
        connection: to the catalogue.
        path: the file.

    Raises:
        BadInput: it cannot be read, lacks a column, or a row is wrong; the message has
            the lines.
    """
    try:
        table = read_table(open_text(path))
        if table is None or not set(COLUMNS) <= set(table.header):
            raise BadInput(
                f"{path} needs the columns {', '.join(COLUMNS)} in its first line"
            )
        rows = list(table.rows())
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error}") from error
    found, wrong = [], []
    said = read_truths(connection)
    for row in rows:
        made = row if isinstance(row, BadRow) else _known(connection, row)
        if not isinstance(made, BadRow) and said.setdefault(made.key, made.same) != (
            made.same
        ):
            made = BadRow(row.line, "an earlier line, or a known pair, says otherwise")
        if isinstance(made, BadRow):
            wrong.append(str(made))
        else:
            found.append(made)
    if wrong:
        raise BadInput(f"{path} is not taken:\n  " + "\n  ".join(wrong))
    return found


def _known(connection: sa.Connection, row: TableRow) -> Known | BadRow:
    number = _FACE.fullmatch(row.cells["face"])
    query = sa.select(face.c.id).where(face.c.id == int(number[1] if number else -1))
    if connection.execute(query).first() is None:
        return BadRow(row.line, f"there is no face {row.cells['face']!r}")
    choice = parse_choice(row.cells["answer"])
    if choice not in (Choice.TRUE, Choice.FALSE):
        return BadRow(row.line, f"{row.cells['answer']!r} is neither true nor false")
    try:
        character_id = find_character(connection, row.cells["character"])
    except WrongUse as error:
        return BadRow(row.line, str(error))
    query = sa.select(character.c.reference_face_id)
    reference = connection.execute(
        query.where(character.c.id == character_id)
    ).scalar_one()
    assert number is not None
    face_id = int(number[1])
    if reference is None:
        return BadRow(row.line, "the character has no reference to compare with")
    if reference == face_id:
        return BadRow(row.line, "the face is the reference itself")
    return Known(face_id, character_id, reference, choice is Choice.TRUE, HAND)
