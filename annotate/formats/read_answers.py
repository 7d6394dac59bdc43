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
        if _begins_a_list(file):
            form, rows = _json(file)
            unit = form.unit
        else:
            form, rows = _csv(file)
            unit = "line"
        return AnswerFile(path.name, form.name, rows, unit, form.of_server)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _begins_a_list(file: TextFile) -> bool:
    with file.open() as text:
        while piece := text.read(1024):
            if begin := piece.lstrip():
                return begin.startswith("[")
    return False


def _json(file: TextFile) -> tuple[Format, Iterator[Row]]:
    """Return the format of a JSON list, which only one format is, and its rows."""
    form, read = next((form, form.read_json) for form in FORMATS if form.read_json)
    return form, read(file)


def _csv(file: TextFile) -> tuple[Format, Iterator[Row]]:
    table = read_table(file)
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
