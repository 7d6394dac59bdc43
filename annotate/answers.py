"""Answers as they stand in a file, before anything is believed."""

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
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Given:
    """A row with an answer in it.

    Attributes:
        line: where it stands in the file, counted from 1.
        question: the question's name, as written.
        annotator: who answered, as written; may be empty.
        choice: the answer, as written.
        batch: the batch that the row claims to be from, if it claims one.
        answered_at: UTC epoch seconds, if the file says.
    """

    line: int
    question: str
    annotator: str
    choice: str
    batch: str | None = None
    answered_at: float | None = None


@dataclass(frozen=True)
class Unanswered:
    """A row without an answer: left empty, skipped or rejected."""

    line: int


@dataclass(frozen=True)
class Fault:
    """A row that is not taken, and why."""

    line: int
    reason: RowFault
    message: str


Row = Given | Unanswered | Fault


@dataclass(frozen=True)
class AnswersFile:
    """A file of answers, read.

    Attributes:
        name: the file's name, without its folder.
        format: ``"csv"``, ``"mturk"`` or ``"label-studio"``.
        rows: every row, in the order of the file.
    """

    name: str
    format: str
    rows: tuple[Row, ...]

    @property
    def unit(self) -> str:
        """What the rows' numbers count: lines, or the tasks of a JSON list."""
        return "task" if self.format == "label-studio" else "line"


def choice_of(text: str) -> Choice | None:
    """Read an answer, however a spreadsheet has written it.

    >>> str(choice_of(" TRUE ")), choice_of("maybe")
    ('true', None)
    """
    return _CHOICES.get(text.strip().lower())


def question_name(key: int) -> str:
    """What a question is called outside of the catalogue.

    >>> question_name(12)
    'q000012'
    """
    return f"q{key:06d}"


def question_key(text: str) -> int | None:
    """The question that ``12``, ``q000012`` or ``question:12`` names.

    >>> question_key("q000012"), question_key("twelve")
    (12, None)
    """
    found = _QUESTION.fullmatch(text.strip())
    return int(found[1]) if found else None


def is_text(value: str) -> bool:
    """Whether both databases can store it: no NUL, no half of a surrogate pair."""
    return _NOT_TEXT.search(value) is None
