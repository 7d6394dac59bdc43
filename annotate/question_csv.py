"""`questions.csv`: a batch to fill in by hand, with a spreadsheet or a script.

One row a question; ``answer`` takes true, false or unsure, ``annotator`` who says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from icf.annotate.answers import Given, Row, Unanswered
from icf.annotate.batch import Question
from icf.annotate.csv_rows import CsvRow, csv_bytes
from icf.annotate.pictures import picture_path

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

#: What the question's column may be called; the second is that of an MTurk input file.
QUESTION_COLUMNS = ("question", "question_id")


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of the file, answers left empty.

    Args:
        questions: the rows.
        url_prefix: what goes before the path of each picture.
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


def reads(header: Sequence[str]) -> bool:
    """Whether a CSV file with these columns is one of ours, filled in or not."""
    named = any(name in header for name in QUESTION_COLUMNS)
    return named and ("answer" in header or "cand_url" in header)


def read(rows: Iterable[CsvRow]) -> Iterator[Row]:
    """Read the filled-in rows."""
    for row in rows:
        choice = row.get("answer")
        if not choice:
            yield Unanswered(row.line)
            continue
        question = next((row.get(n) for n in QUESTION_COLUMNS if row.get(n)), "")
        batch = row.get("batch_id") or None
        yield Given(row.line, question, row.get("annotator"), choice, batch)
