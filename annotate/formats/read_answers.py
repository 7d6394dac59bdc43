"""Detect the format of an answer file by its content, and read its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from icf.annotate.answers import AnswerFile, Row
from icf.annotate.formats.base import Format
from icf.annotate.formats.question_csv import QUESTION_COLUMNS
from icf.annotate.formats.registry import FORMATS
from icf.errors import BadInput
from icf.spreadsheet import Table, read_table
from icf.text_file import TextFile, open_text

#: Characters of a header that a message shows.
_SHOWN = 200


def read_answers(path: Path) -> AnswerFile:
    """Read an answer file; its name and suffix do not matter.

    Raises:
        BadInput: the file cannot be read, or its format is unknown.
    """
    try:
        file = open_text(path)
        begin = _first_character(file)
        if begin in ("[", "{"):
            form, rows = _json(file, begin)
            return AnswerFile(path.name, form.name, rows, form.unit, form.of_server)
        form, rows = _csv(file)
        return AnswerFile(path.name, form.name, rows, of_server=form.of_server)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _first_character(file: TextFile) -> str:
    """The first character that is not space; an empty one of a blank file."""
    with file.open() as text:
        while piece := text.read(1024):
            if begin := piece.lstrip():
                return begin[0]
    return ""


def _json(file: TextFile, begin: str) -> tuple[Format, Iterator[Row]]:
    """Return the format of a JSON list, or of JSON Lines, and the rows."""
    for form in FORMATS:
        read = form.read_json if begin == "[" else form.read_lines
        rows = read(file) if read is not None else None
        if rows is not None:
            return form, rows
    raise BadInput(
        f"{file.path} is JSON, but not an answer file: expected {_expected()}"
    )


def _csv(file: TextFile) -> tuple[Format, Iterator[Row]]:
    try:
        table = read_table(file)
    except BadInput as error:
        raise BadInput(f"{error}: expected {_expected()}") from error
    if table is None:
        raise BadInput(f"{file.path} is empty: expected {_expected()}")
    for form in FORMATS:
        rows = form.read_table(table)
        if rows is not None:
            return form, rows
    _fail(file.path, table)


def _fail(path: Path, table: Table) -> NoReturn:
    found = table.first[:_SHOWN]
    if {"input.question_id", *QUESTION_COLUMNS} & set(table.header):
        raise BadInput(
            f"{path} has questions, but no column of answers: expected {_expected()}; "
            f"its first line is {found!r}"
        )
    raise BadInput(
        f"{path} is not an answer file: expected {_expected()}; it begins with "
        f"{found!r}"
    )


def _expected() -> str:
    *others, last = [form.expected for form in reversed(FORMATS)]
    return f"{', '.join(others)} or {last}"
