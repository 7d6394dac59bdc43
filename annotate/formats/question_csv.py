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
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats import mturk
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.csv_rows import csv_bytes, read_rows
from icf.codes import RowFault
from icf.spreadsheet import Table, TableRow

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
    return read_rows(table, (*COLUMNS, *QUESTION_COLUMNS), _read_row)


def _read_row(row: TableRow) -> Row:
    cell = row.cells.get
    question = next((cell(n) for n in QUESTION_COLUMNS if cell(n)), None) or ""
    choice = cell("answer", "")
    if choice:
        batch = cell("batch_id") or None
        return AnswerRow(row.line, question, cell("annotator", ""), choice, batch)
    if parse_question_id(question) is None:
        # Perhaps a part of a row that an unquoted line end has cut in two.
        missing = "it has neither a question nor an answer"
        return Fault(row.line, RowFault.BAD_ROW, missing)
    return EmptyRow(row.line)


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
