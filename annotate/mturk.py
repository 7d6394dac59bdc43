"""The column layout of Amazon Mechanical Turk, which outlived the service.

A batch's input is ``question_id,ref_url,cand_url``; a results file repeats the input
under ``Input.`` and has the answer under ``Answer.same``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from icf.annotate.answers import Given, Row, Unanswered, question_name
from icf.annotate.batch import Question
from icf.annotate.csv_rows import CsvRow, csv_bytes
from icf.annotate.pictures import picture_path

FILE = "mturk.csv"

COLUMNS = ("question_id", "ref_url", "cand_url")

#: The last columns, for the requester to fill in; downloads leave their cells out.
OPTIONAL_LAST = ("Approve", "Reject")

_QUESTION, _ANSWER, _WORKER = "Input.question_id", "Answer.same", "WorkerId"


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of an input file.

    Args:
        questions: the rows.
        url_prefix: what goes before the path of each picture.
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


def reads(header: Sequence[str]) -> bool:
    """Whether a CSV file with these columns is a results file."""
    return {_QUESTION, _ANSWER, _WORKER} <= set(header)


def read(rows: Iterable[CsvRow]) -> Iterator[Row]:
    """Read the assignments; one that the requester rejected has no answer."""
    for row in rows:
        choice = row.get(_ANSWER)
        if not choice or row.get("AssignmentStatus").lower() == "rejected":
            yield Unanswered(row.line)
            continue
        batch = row.get("Input.batch_id") or None
        yield Given(row.line, row.get(_QUESTION), row.get(_WORKER), choice, batch)
