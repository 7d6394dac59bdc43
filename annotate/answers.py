"""Rows of an answer file, as read and before any check against the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass

from icf.codes import Choice, RowFault

#: Both vocabularies: our own, and the one of Label Studio and MTurk pages.
_CHOICES = {
    "true": Choice.TRUE,
    "same": Choice.TRUE,
    "false": Choice.FALSE,
    "different": Choice.FALSE,
    "unsure": Choice.UNSURE,
}

_QUESTION = re.compile(r"(?:q|question:)?0*([0-9]{1,18})")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class AnswerRow:
    """A row with an answer.

    Attributes:
        line: line number in the file, counted from 1.
        question: the question's id, as written.
        annotator: who answered, as written; may be empty.
        choice: the answer, as written.
        batch: the batch named in the row, if any.
        answered_at: UTC epoch seconds, if the file has them.
    """

    line: int
    question: str
    annotator: str
    choice: str
    batch: str | None = None
    answered_at: float | None = None


@dataclass(frozen=True)
class EmptyRow:
    """A row without an answer: left empty, skipped or rejected."""

    line: int


@dataclass(frozen=True)
class Fault:
    """A row that is refused, and why."""

    line: int
    reason: RowFault
    message: str


Row = AnswerRow | EmptyRow | Fault


@dataclass(frozen=True)
class AnswerFile:
    """The content of an answer file.

    Attributes:
        name: the file's name, without its folder.
        format: the name of its format, e.g. ``"csv"``.
        rows: every row, in the order of the file.
        unit: what the rows' numbers count: lines, or the tasks of a JSON list.
    """

    name: str
    format: str
    rows: tuple[Row, ...]
    unit: str = "line"


def parse_choice(text: str) -> Choice | None:
    """Parse an answer, in any case and with surrounding space.

    >>> str(parse_choice(" TRUE ")), parse_choice("maybe")
    ('true', None)
    """
    return _CHOICES.get(text.strip().lower())


def question_name(question_id: int) -> str:
    """The name of a question in exported files.

    >>> question_name(12)
    'q000012'
    """
    return f"q{question_id:06d}"


def parse_question_id(text: str) -> int | None:
    """Parse ``12``, ``q000012`` or ``question:12``.

    >>> parse_question_id("q000012"), parse_question_id("twelve")
    (12, None)
    """
    found = _QUESTION.fullmatch(text.strip())
    return int(found[1]) if found else None


def is_storable(text: str) -> bool:
    """Whether both databases can store a text: no NUL, no lone surrogate."""
    return _NOT_STORABLE.search(text) is None
