"""`questions.csv`: a batch to fill in with a spreadsheet or a script.

Each row is a question. The column ``answer`` takes true, false, unsure,
wrong_reference or not_a_face, and ``annotator`` the name of who answered. A question
about a reference has its picture in both columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from icf.annotate.answers import (
    AnswerRow,
    EmptyRow,
    Fault,
    Row,
    parse_question_id,
)
from icf.annotate.batch import Question, picture_path, pictured
from icf.annotate.formats import mturk
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.csv_rows import csv_bytes, read_rows
from icf.annotate.formats.values import moment_of, seconds_of
from icf.codes import RowFault
from icf.spreadsheet import Table, TableRow, meant_by

FILE = "questions.csv"

COLUMNS = (
    "question",
    "batch_id",
    "album",
    "character",
    "ref_url",
    "cand_url",
    "answer",
    "annotator",
)

#: One column more where a batch has questions about references: the question in words.
ASK = "ask"

#: Accepted names of the question column; the second is that of an MTurk input file.
QUESTION_COLUMNS = ("question", "question_id")

#: Columns that a file of answers may have as well.
_TIME, _SECONDS = "answered_at", "seconds"
#: Characters of a cell that a message quotes.
_QUOTED = 40


def write(questions: Sequence[Question], url_prefix: str) -> bytes:
    """The bytes of the file, with empty answers.

    Args:
        questions: the rows.
        url_prefix: prepended to the path of each picture.
    """
    rows = [
        (
            str(each.id),
            each.batch_id,
            each.album,
            each.character,
            url_prefix + picture_path(each.reference_face_id),
            url_prefix + picture_path(each.face_id),
            "",
            "",
            each.text,
        )
        for each in questions
    ]
    if any(each.asks_about_reference for each in questions):
        return csv_bytes((*COLUMNS, ASK), rows)
    return csv_bytes(COLUMNS, (row[: len(COLUMNS)] for row in rows))


def read(table: Table) -> Iterator[Row] | None:
    """The rows of the file, filled in; None for a table without answers."""
    if "answer" not in table.header or not set(QUESTION_COLUMNS) & set(table.header):
        return None
    columns = (*COLUMNS, *QUESTION_COLUMNS, _TIME, _SECONDS)
    return read_rows(table, columns, _read_row)


def _read_row(row: TableRow) -> Row:
    cell = row.cells.get
    question = next((cell(n) for n in QUESTION_COLUMNS if cell(n)), None) or ""
    choice = cell("answer", "")
    if choice:
        return _read_answer(row, question, choice)
    if parse_question_id(question) is None:
        # Perhaps a part of a row that an unquoted line end has cut in two.
        missing = "it has neither a question nor an answer"
        return Fault(row.line, RowFault.BAD_ROW, missing)
    return EmptyRow(row.line, question)


def _read_answer(row: TableRow, question: str, choice: str) -> Row:
    cell = row.cells.get
    at, seconds = cell(_TIME, ""), cell(_SECONDS, "")
    when, took = moment_of(at), seconds_of(seconds)
    wrong = None
    if at and when is None:
        wrong = f"{_TIME} is not a time with its zone: {at[:_QUOTED]!r}"
    elif seconds and took is None:
        wrong = f"{_SECONDS} is not a number: {seconds[:_QUOTED]!r}"
    if wrong is not None:
        return Fault(row.line, RowFault.BAD_ROW, wrong, question[:_QUOTED])
    annotator = meant_by(cell("annotator", ""))
    batch = cell("batch_id") or None
    faces = pictured(cell("ref_url"), cell("cand_url"))
    return AnswerRow(
        row.line, question, annotator, choice, batch, when, took, faces=faces
    )


def _write_files(questions: Sequence[Question], url_prefix: str) -> Mapping[str, bytes]:
    """Both CSV layouts, so that one batch serves spreadsheets and MTurk."""
    return {
        FILE: write(questions, url_prefix),
        **mturk.write_files(questions, url_prefix),
    }


FORMAT = Format(
    "csv",
    "questions.csv filled in (columns question, answer, annotator)",
    read,
    writer=BatchWriter((FILE,), _write_files),
)
