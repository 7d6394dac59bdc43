"""`questions.csv`: a batch to fill in with a spreadsheet or a script.

Each row is a question. The column ``answer`` takes true, false or unsure, and
``annotator`` the name of who answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from icf.annotate.answers import AnswerRow, EmptyRow, Row
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats import mturk
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.csv_rows import CsvRow, csv_bytes, read_csv

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

#: Accepted names of the question column; the second is that of an MTurk input file.
_QUESTION_COLUMNS = ("question", "question_id")


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of the file, with empty answers.

    Args:
        questions: the rows.
        url_prefix: prepended to the path of each picture.
    """
    rows = (
        (
            str(each.id),
            each.batch_id,
            each.album,
            each.character,
            url_prefix + picture_path(each.reference_face_id),
            url_prefix + picture_path(each.face_id),
            "",
            "",
        )
        for each in questions
    )
    return csv_bytes(COLUMNS, rows)


def read(text: str) -> Iterator[Row] | None:
    """The rows of the file, filled in or not; None for any other text."""
    return read_csv(text, _is_question_csv, _read_row)


def _is_question_csv(header: Sequence[str]) -> bool:
    has_question = any(name in header for name in _QUESTION_COLUMNS)
    return has_question and ("answer" in header or "cand_url" in header)


def _read_row(row: CsvRow) -> Row:
    choice = row.get("answer")
    if not choice:
        return EmptyRow(row.line)
    question = next((row.get(n) for n in _QUESTION_COLUMNS if row.get(n)), "")
    batch = row.get("batch_id") or None
    return AnswerRow(row.line, question, row.get("annotator"), choice, batch)


def _write_files(questions: Sequence[Question], url_prefix: str) -> Mapping[str, bytes]:
    """Both CSV layouts, so that one batch serves spreadsheets and MTurk."""
    return {
        FILE: write(questions, url_prefix),
        mturk.FILE: mturk.write(questions, url_prefix),
    }


FORMAT = Format(
    "csv",
    "questions.csv filled in (columns question, answer, annotator)",
    read,
    BatchWriter(FILE, _write_files),
)
