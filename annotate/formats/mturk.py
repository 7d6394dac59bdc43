"""The CSV layout of Amazon Mechanical Turk, which other services use as well.

An input file has the columns ``question_id,ref_url,cand_url``. Questions about
references need another page: they are in a file of their own, with the columns
``character,album`` as well. A results file repeats the columns with the prefix
``Input.`` and has the answer in ``Answer.same``; where the page is made of crowd
elements, all that it says is one cell of JSON, ``Answer.taskAnswers``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from icf.annotate.answers import AnswerRow, EmptyRow, Row, question_name
from icf.annotate.batch import Question, picture_path, pictured
from icf.annotate.formats.base import Format
from icf.annotate.formats.csv_rows import csv_bytes, read_rows
from icf.annotate.formats.values import moment_of, seconds_of
from icf.spreadsheet import Table, TableRow

FILE = "mturk.csv"
REFERENCES_FILE = "mturk-references.csv"

COLUMNS = ("question_id", "ref_url", "cand_url")
REFERENCES_COLUMNS = (*COLUMNS, "character", "album")

#: Columns of a results file, as `column_name` spells them.
_QUESTION, _ANSWER, _WORKER = "input.question_id", "answer.same", "workerid"
_FORM = "answer.taskanswers"
#: The answer field of a page.
_NAME = "same"
_STATUS, _BATCH = "assignmentstatus", "input.batch_id"
_PICTURES = ("input.ref_url", "input.cand_url")
_ASSIGNMENT, _SECONDS, _TIME = "assignmentid", "worktimeinseconds", "submittime"

#: Hours from UTC by the name of the zone: the service wrote times in no others.
_ZONES = {"UTC": 0, "GMT": 0, "PST": -8, "PDT": -7}


def write_files(questions: Sequence[Question], url_prefix: str) -> dict[str, bytes]:
    """The input files by name; one without questions is left out.

    Args:
        questions: the rows.
        url_prefix: prepended to the path of each picture.
    """
    shown = [each for each in questions if each.asks_about_reference]
    compared = [each for each in questions if not each.asks_about_reference]
    files = {}
    if compared or not shown:  # a batch without questions is recognised, too
        files[FILE] = write(compared, url_prefix)
    if shown:
        rows = ((*_row(each, url_prefix), each.character, each.album) for each in shown)
        files[REFERENCES_FILE] = csv_bytes(REFERENCES_COLUMNS, rows)
    return files


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of an input file of questions that compare two faces.

    Args:
        questions: the rows.
        url_prefix: prepended to the path of each picture.
    """
    return csv_bytes(COLUMNS, (_row(each, url_prefix) for each in questions))


def _row(asked: Question, url_prefix: str) -> tuple[str, str, str]:
    return (
        question_name(asked.id),
        url_prefix + picture_path(asked.reference_face_id),
        url_prefix + picture_path(asked.face_id),
    )


def read(table: Table) -> Iterator[Row] | None:
    """The assignments of a results file; None for any other table."""
    if not {_QUESTION, _WORKER} <= set(table.header):
        return None
    if not {_ANSWER, _FORM} & set(table.header):
        return None
    columns = (_QUESTION, _ANSWER, _FORM, _WORKER, _STATUS, _BATCH)
    also = (_ASSIGNMENT, _SECONDS, _TIME, *_PICTURES)
    return read_rows(table, (*columns, *also), _read_row)


def _read_row(row: TableRow) -> Row:
    cells = row.cells
    assignment = cells.get(_ASSIGNMENT, "")
    choice = cells.get(_ANSWER) or _said_in(cells.get(_FORM, ""))
    if not choice or cells.get(_STATUS, "").casefold() == "rejected":
        return EmptyRow(row.line, cells[_QUESTION], assignment)
    return AnswerRow(
        line=row.line,
        question=cells[_QUESTION],
        annotator=cells[_WORKER],
        choice=choice,
        batch=cells.get(_BATCH) or None,
        answered_at=_moment_of(cells.get(_TIME, "")),
        seconds=seconds_of(cells.get(_SECONDS)),
        item=assignment,
        origin=cells[_WORKER] or None,
        origin_id=f"mturk:{assignment}" if assignment else None,
        faces=pictured(*(cells.get(each) for each in _PICTURES)),
    )


def _said_in(form: str) -> str:
    """The answer in the JSON of a form; the text itself where it has none.

    A field is a text, a classifier has a label, and buttons say which one is pressed.

    >>> _said_in('[{"same": {"label": "different"}}]'), _said_in('[{"same": "unsure"}]')
    ('different', 'unsure')
    >>> _said_in('[{"same": {"different": false, "same": true}}]')
    'same'
    """
    try:
        [fields] = json.loads(form)
        said = fields[_NAME]
    except (ValueError, TypeError, KeyError, RecursionError):
        return form
    if isinstance(said, Mapping):
        pressed = [name for name, is_pressed in said.items() if is_pressed is True]
        said = said.get("label", ", ".join(pressed))
    return said if isinstance(said, str) else form


def _moment_of(written: str) -> float | None:
    """The UTC epoch seconds of a time as the service writes it; None for all else.

    >>> _moment_of("Tue Mar 09 14:16:08 PST 2021")
    1615328168.0
    """
    *words, zone, year = written.split() if " " in written.strip() else ("", "")
    if zone not in _ZONES:
        return moment_of(written)
    try:
        time = datetime.strptime(" ".join((*words, year)), "%a %b %d %H:%M:%S %Y")
        there = timezone(timedelta(hours=_ZONES[zone]))
        return time.replace(tzinfo=there).timestamp()
    except (ValueError, OverflowError):
        return None


FORMAT = Format(
    "mturk",
    "an MTurk results file (Input.question_id, WorkerId, Answer.same or taskAnswers)",
    read,
)
