"""The CSV layout of Amazon Mechanical Turk, which other services use as well.

An input file has the columns ``question_id,ref_url,cand_url``. A results file repeats
them with the prefix ``Input.`` and has the answer in ``Answer.same``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from icf.annotate.answers import AnswerRow, EmptyRow, Row, question_name
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats.base import Format
from icf.annotate.formats.csv_rows import CsvRow, csv_bytes, read_csv

FILE = "mturk.csv"

COLUMNS = ("question_id", "ref_url", "cand_url")

#: The last columns, for the requester to fill in; downloads omit their cells.
_OPTIONAL_LAST = ("Approve", "Reject")

_QUESTION, _ANSWER, _WORKER = "Input.question_id", "Answer.same", "WorkerId"


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


def read(text: str) -> Iterator[Row] | None:
    """The assignments of a results file; None for any other text."""
    return read_csv(text, _is_results, _read_row, _OPTIONAL_LAST)


def _is_results(header: Sequence[str]) -> bool:
    return {_QUESTION, _ANSWER, _WORKER} <= set(header)


def _read_row(row: CsvRow) -> Row:
    choice = row.get(_ANSWER)
    if not choice or row.get("AssignmentStatus").lower() == "rejected":
        return EmptyRow(row.line)
    batch = row.get("Input.batch_id") or None
    return AnswerRow(row.line, row.get(_QUESTION), row.get(_WORKER), choice, batch)


FORMAT = Format(
    "mturk",
    "an MTurk results file (Input.question_id, WorkerId, Answer.same)",
    read,
)
