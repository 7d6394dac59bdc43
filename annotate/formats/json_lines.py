"""JSON Lines: a batch of questions, or answers to some, an object a line.

A line of questions has ``question``, ``batch_id``, ``ask`` (the question in words),
``album``, ``character``, ``ref_url`` and ``cand_url``. A line of answers has
``question``, ``answer`` and ``annotator``, and may have ``batch_id``, ``answered_at``
(ISO 8601 with its zone, or UTC epoch seconds) and ``seconds``. Others mean nothing.
So a program that answers adds two names to each line of a batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from icf.annotate.answers import AnswerRow, EmptyRow, Fault, Row, is_storable
from icf.annotate.batch import Question, picture_path, pictured
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.values import moment_of, seconds_of
from icf.codes import RowFault
from icf.text_file import TextFile

FILE = "questions.jsonl"

#: Characters of a line.
_LONGEST = 1 << 17
#: Lines by which a file is recognised.
_HEAD = 20
_QUOTED = 40


def write(questions: Sequence[Question], url_prefix: str) -> bytes:
    """The bytes of a file of questions.

    Args:
        questions: the lines.
        url_prefix: prepended to the path of each picture.
    """
    return b"".join(
        json_line(
            {
                "question": each.id,
                "batch_id": each.batch_id,
                "ask": each.text,
                "album": each.album,
                "character": each.character,
                "ref_url": url_prefix + picture_path(each.reference_face_id),
                "cand_url": url_prefix + picture_path(each.face_id),
            }
        )
        for each in questions
    )


def json_line(values: Mapping[str, object]) -> bytes:
    """A line of a file in JSON Lines."""
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def read(file: TextFile) -> Iterator[Row] | None:
    """The rows of a file, line by line; a bad one affects no other.

    None for a file of which none of the first lines is about a question.
    """
    head = islice((line for line in file.lines(_LONGEST) if line.strip()), _HEAD)
    if not any(_has_question(line) for line in head):
        return None
    return (
        _read_line(number, line)
        for number, line in enumerate(file.lines(_LONGEST), 1)
        if line.strip()
    )


def _has_question(line: str) -> bool:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and "question" in values


def _read_line(number: int, line: str) -> Row:
    if len(line) >= _LONGEST:
        return _bad(number, f"a line of {_LONGEST} characters or more")
    if not is_storable(line):
        return Fault(number, RowFault.BAD_ENCODING, "it is not UTF-8")
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return _bad(number, "it is not JSON")
    if not isinstance(values, dict):
        return _bad(number, "it is not a JSON object")
    return _read_values(number, values)


def _read_values(number: int, values: Mapping[str, object]) -> Row:
    question = values.get("question")
    if isinstance(question, bool) or not isinstance(question, str | int):
        return _bad(number, "it has no question")
    name = str(question)
    choice = _text_of(values.get("answer"))
    if choice == "":
        return EmptyRow(number, name[:_QUOTED])
    annotator, batch = values.get("annotator") or "", values.get("batch_id") or None
    wrong = None
    if choice is None:
        wrong = "answer is not a text"
    elif not isinstance(annotator, str) or not isinstance(batch, str | None):
        wrong = "annotator or batch_id is not a text"
    elif not all(map(is_storable, (name, choice, annotator, batch or ""))):
        message = "it contains a lone surrogate"
        return Fault(number, RowFault.BAD_ENCODING, message)
    at, when = values.get("answered_at"), _time_of(values.get("answered_at"))
    took = seconds_of(values.get("seconds"))
    if at not in (None, "") and when is None:
        wrong = f"answered_at is not a time with its zone: {at!r:.{_QUOTED}}"
    elif values.get("seconds") not in (None, "") and took is None:
        wrong = "seconds is not a number"
    if wrong is not None:
        return Fault(number, RowFault.BAD_ROW, wrong, name[:_QUOTED])
    assert choice is not None
    assert isinstance(annotator, str)
    assert isinstance(batch, str | None)
    return AnswerRow(
        number,
        name,
        annotator,
        choice,
        batch,
        answered_at=when,
        seconds=took,
        faces=pictured(values.get("ref_url"), values.get("cand_url")),
    )


def _text_of(answer: object) -> str | None:
    """An answer as text: empty where there is none; None where it is something else."""
    if isinstance(answer, bool):
        return "true" if answer else "false"
    if answer is None:
        return ""
    return answer.strip() if isinstance(answer, str) else None


def _time_of(written: object) -> float | None:
    """A time as a text, or in UTC epoch seconds."""
    return moment_of(written) if isinstance(written, str) else seconds_of(written)


def _bad(number: int, message: str) -> Fault:
    return Fault(number, RowFault.BAD_ROW, message)


FORMAT = Format(
    "jsonl",
    "JSON Lines (question, answer, annotator)",
    lambda _table: None,
    read_lines=read,
    unit="line",
    writer=BatchWriter((FILE,), lambda asked, prefix: {FILE: write(asked, prefix)}),
)
