"""The CSV layout of Amazon Mechanical Turk, which other services use as well.

An input file has the columns ``question_id,ref_url,cand_url``. A results file repeats
them with the prefix ``Input.`` and has the answer in ``Answer.same``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from icf.annotate.answers import AnswerRow, EmptyRow, Row, question_name
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats.base import Format
from icf.annotate.formats.csv_rows import csv_bytes, read_rows
from icf.spreadsheet import Table, TableRow

FILE = "mturk.csv"

COLUMNS = ("question_id", "ref_url", "cand_url")

#: Columns of a results file, as `column_name` spells them.
_QUESTION, _ANSWER, _WORKER = "input.question_id", "answer.same", "workerid"
_STATUS, _BATCH = "assignmentstatus", "input.batch_id"


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of an input file.

    Args:
        questions: the rows.
        url_prefix: prepended to the path of each picture.
    """
    rows = (
        (
            question_name(each.id),
            url_prefix + picture_path(each.reference_face_id),
            url_prefix + picture_path(each.face_id),
        )
        for each in questions
    )
    return csv_bytes(COLUMNS, rows)


def read(table: Table) -> Iterator[Row] | None:
    """The assignments of a results file; None for any other table."""
    if not {_QUESTION, _ANSWER, _WORKER} <= set(table.header):
        return None
    columns = (_QUESTION, _ANSWER, _WORKER, _STATUS, _BATCH)
    return read_rows(table, columns, _read_row)


def _read_row(row: TableRow) -> Row:
    cells = row.cells
    if not cells[_ANSWER] or cells.get(_STATUS, "").casefold() == "rejected":
        return EmptyRow(row.line)
    batch = cells.get(_BATCH) or None
    return AnswerRow(row.line, cells[_QUESTION], cells[_WORKER], cells[_ANSWER], batch)


FORMAT = Format(
    "mturk",
    "an MTurk results file (Input.question_id, WorkerId, Answer.same)",
    read,
)
