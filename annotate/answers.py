"""Rows of an answer file, as read and before any check against the catalogue."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from icf.codes import Choice, RowFault, RowNote
from icf.names import normal_name
from icf.spreadsheet import truth_of

#: Answers in words of our own, in lower case; `truth_of` knows those of spreadsheets.
_CHOICES = {
    "same": Choice.TRUE,
    "different": Choice.FALSE,
    "unsure": Choice.UNSURE,
    "wrong_reference": Choice.WRONG_REFERENCE,
    "the_reference_is_wrong": Choice.WRONG_REFERENCE,
    "not_a_face": Choice.NOT_A_FACE,
    "this_is_no_face": Choice.NOT_A_FACE,
}

#: What an answer can be, in words for error messages.
UNDERSTOOD = (
    "understood are true, same or yes; false, different or no; unsure; "
    "wrong_reference; not_a_face; and what spreadsheets in other languages make of "
    "true and false"
)

#: Refused rows of one reason that are kept with their line; all are counted.
KEPT_FAULTS = 1000

# Software that knows numbers only writes the question 12 as 12.0. In 1.000 the point
# may stand between thousands.
_QUESTION = re.compile(r"(?:q|question:)?0*([0-9]{1,18})(?:\.0{0,2})?", re.IGNORECASE)
#: Characters of an annotator's name. PostgreSQL indexes no longer ones.
LONGEST_ANNOTATOR = 200
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
        seconds: that the person took, if the file has them.
        item: what the tool calls that which was answered, e.g. the id of its task.
        origin: who the tool says it was, in a name that no other person of any of its
            files has; None where the file has names that people typed.
        origin_id: what the tool calls the answer: no other answer is called so.
        note: what is to be said about it.
        faces: ids of the faces in the pictures that the row names, as far as their
            addresses are a batch's.
    """

    line: int
    question: str
    annotator: str
    choice: str
    batch: str | None = None
    answered_at: float | None = None
    seconds: float | None = None
    item: str = ""
    origin: str | None = None
    origin_id: str | None = None
    note: RowNote | None = None
    faces: frozenset[int] = frozenset()


@dataclass(frozen=True)
class EmptyRow:
    """A row without an answer: left empty, skipped or rejected.

    Attributes:
        question, item, note: as in `AnswerRow`.
    """

    line: int
    question: str = ""
    item: str = ""
    note: RowNote | None = None


@dataclass(frozen=True)
class Fault:
    """A row that is refused, and why.

    Attributes:
        question, item: as in `AnswerRow`, as far as they are known.
    """

    line: int
    reason: RowFault
    message: str
    question: str = ""
    item: str = ""


@dataclass(frozen=True)
class Note:
    """What is said about a row that is not refused."""

    line: int
    reason: RowNote
    question: str = ""
    item: str = ""


Row = AnswerRow | EmptyRow | Fault


@dataclass(frozen=True)
class Vote:
    """One person's valid answer to one question; its fields are as in `AnswerRow`."""

    line: int
    question_id: int
    annotator: str
    choice: Choice
    answered_at: float | None = None
    seconds: float | None = None
    item: str = ""
    origin: str | None = None
    origin_id: str | None = None


R = TypeVar("R", RowFault, RowNote)
S = TypeVar("S", Fault, Note)


class _Kept(Generic[S, R]):
    """Rows of some reasons: all are counted, the first of each reason are kept."""

    def __init__(self) -> None:
        self.counts: Counter[R] = Counter()
        self._kept: dict[R, list[S]] = defaultdict(list)

    def _add(self, reason: R, row: S) -> None:
        self.counts[reason] += 1
        if self.room(reason):
            self._kept[reason].append(row)

    def room(self, reason: R) -> int:
        """How many rows more of a reason would be kept."""
        return KEPT_FAULTS - len(self._kept[reason])

    def kept(self) -> tuple[S, ...]:
        """The rows that are kept, in the order of the file."""
        each = (row for some in self._kept.values() for row in some)
        return tuple(sorted(each, key=lambda row: row.line))


class Faults(_Kept[Fault, RowFault]):
    """Refused rows: all are counted, the first of each reason are kept."""

    def add(self, fault: Fault) -> None:
        """Count a row, and keep it as long as there is room."""
        self._add(fault.reason, fault)


class Notes(_Kept[Note, RowNote]):
    """Rows to say something about: all are counted, the first of each are kept."""

    def add(self, note: Note) -> None:
        """Count a row, and keep it as long as there is room."""
        self._add(note.reason, note)


@dataclass(frozen=True)
class AnswerFile:
    """The content of an answer file.

    Attributes:
        name: the file's name, without its folder.
        format: the name of its format, e.g. ``"csv"``.
        rows: every row, in the order of the file; read once, as it is needed.
        unit: what the rows' numbers count: lines, or the tasks of a JSON list.
        of_server: whether its people are numbered by the server that it is from.
    """

    name: str
    format: str
    rows: Iterable[Row]
    unit: str = "line"
    of_server: bool = False


def parse_choice(text: str) -> Choice | None:
    """Parse an answer, in any case, with any space, hyphens or underscores.

    >>> str(parse_choice(" VRAI ")), str(parse_choice("Not a face"))
    ('true', 'not_a_face')
    >>> parse_choice("maybe")
    """
    words = re.split(r"[\s_-]+", normal_name(text).casefold())
    choice = _CHOICES.get("_".join(words))
    truth = truth_of(text) if choice is None else None
    return choice if truth is None else Choice.TRUE if truth else Choice.FALSE


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


def all_storable(value: object) -> bool:
    """Whether all texts in what JSON gave can be stored, keys too."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str) and not is_storable(each):
            return False
        if isinstance(each, Mapping):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
    return True
