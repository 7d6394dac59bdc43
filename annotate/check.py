"""Validate the rows of an answer file against the questions and each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from icf.annotate.answers import (
    AnswerFile,
    AnswerRow,
    Fault,
    is_storable,
    parse_choice,
    parse_question_id,
)
from icf.codes import Choice, RowFault

#: Characters of a cell that a message quotes.
_QUOTED = 40


@dataclass(frozen=True)
class Vote:
    """One person's valid answer to one question."""

    line: int
    question_id: int
    annotator: str
    choice: Choice
    answered_at: float | None = None


@dataclass(frozen=True)
class CheckedRows:
    """The rows of a file; each is in exactly one of the three groups.

    Attributes:
        votes: answers to import.
        faults: rows to refuse, in the order of the file.
        unanswered: number of rows without an answer.
    """

    votes: tuple[Vote, ...]
    faults: tuple[Fault, ...]
    unanswered: int


def question_ids(file: AnswerFile) -> list[int]:
    """The ids of the questions in a file, whether they exist or not."""
    ids = {
        parse_question_id(row.question)
        for row in file.rows
        if isinstance(row, AnswerRow)
    }
    return sorted(each for each in ids if each is not None)


def check(file: AnswerFile, batches: Mapping[int, str]) -> CheckedRows:
    """Decide which rows to import and which to refuse.

    The result does not depend on the order of the rows. If one person gives different
    answers to a question, none of them is imported; of equal rows the first is.

    Args:
        file: the file.
        batches: the batch of each question in the file that exists.
    """
    votes: list[Vote] = []
    faults: list[Fault] = []
    unanswered = 0
    for row in file.rows:
        checked = _check_row(row, batches) if isinstance(row, AnswerRow) else row
        if isinstance(checked, Vote):
            votes.append(checked)
        elif isinstance(checked, Fault):
            faults.append(checked)
        else:
            unanswered += 1
    accepted, repeated = _one_per_person(votes, file.unit)
    faults = sorted([*faults, *repeated], key=lambda fault: fault.line)
    return CheckedRows(tuple(accepted), tuple(faults), unanswered)


def _check_row(row: AnswerRow, batches: Mapping[int, str]) -> Vote | Fault:
    choice = parse_choice(row.choice)
    if choice is None:
        found = f"the answer is {row.choice[:_QUOTED]!r}"
        return Fault(row.line, RowFault.UNKNOWN_CHOICE, found)
    if not row.annotator:
        missing = "the annotator is missing; set one with --annotator"
        return Fault(row.line, RowFault.BAD_ROW, missing)
    if not is_storable(row.annotator):
        return Fault(row.line, RowFault.BAD_ENCODING, "the annotator is not valid text")
    key = parse_question_id(row.question)
    if key is None or key not in batches:
        found = f"there is no question {row.question[:_QUOTED]!r}"
        return Fault(row.line, RowFault.UNKNOWN_QUESTION, found)
    if row.batch is not None and row.batch != batches[key]:
        found = f"it belongs to batch {batches[key]}, not {row.batch[:_QUOTED]!r}"
        return Fault(row.line, RowFault.FOREIGN_BATCH, found)
    return Vote(row.line, key, row.annotator, choice, row.answered_at)


def _one_per_person(votes: Iterable[Vote], unit: str) -> tuple[list[Vote], list[Fault]]:
    """Accept one answer of each person to each question."""
    by_person: dict[tuple[int, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        by_person[vote.question_id, vote.annotator].append(vote)
    accepted: list[Vote] = []
    faults: list[Fault] = []
    for same_person in by_person.values():
        if len({vote.choice for vote in same_person}) > 1:
            faults += [_conflict(vote, same_person, unit) for vote in same_person]
            continue
        first, *others = same_person
        accepted.append(first)
        message = f"same answer as in {unit} {first.line}"
        faults += [Fault(each.line, RowFault.DUPLICATE_ROW, message) for each in others]
    return accepted, faults


def _conflict(vote: Vote, same_person: Iterable[Vote], unit: str) -> Fault:
    other = next(each for each in same_person if each.choice is not vote.choice)
    message = f"{vote.choice} here, {other.choice} in {unit} {other.line}"
    return Fault(vote.line, RowFault.CONFLICT, message)
