"""Hold the rows of a file against the questions that were asked, and one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from icf.annotate.answers import (
    AnswersFile,
    Fault,
    Given,
    choice_of,
    is_text,
    question_key,
)
from icf.codes import Choice, RowFault

_SHOWN = 40


@dataclass(frozen=True)
class Vote:
    """One person's answer to one question, ready to be taken."""

    line: int
    question_id: int
    annotator: str
    choice: Choice
    answered_at: float | None = None


@dataclass(frozen=True)
class Checked:
    """Every row of a file, with exactly one of three fates.

    Attributes:
        votes: answers to take.
        faults: rows to refuse, in the order of the file.
        unanswered: how many rows have no answer.
    """

    votes: tuple[Vote, ...]
    faults: tuple[Fault, ...]
    unanswered: int


def named_questions(file: AnswersFile) -> list[int]:
    """The questions that a file names, whether they exist or not."""
    keys = {question_key(r.question) for r in file.rows if isinstance(r, Given)}
    return sorted(key for key in keys if key is not None)


def check(file: AnswersFile, batches: Mapping[int, str]) -> Checked:
    """Give every row its fate.

    The order of the rows does not matter to what is taken: where one person contradicts
    himself, none of his rows on that question is; of equal rows the first is.

    Args:
        file: the file.
        batches: the batch of every question that exists and is named in the file.
    """
    votes: list[Vote] = []
    faults: list[Fault] = []
    unanswered = 0
    for row in file.rows:
        judged = _judge(row, batches) if isinstance(row, Given) else row
        if isinstance(judged, Vote):
            votes.append(judged)
        elif isinstance(judged, Fault):
            faults.append(judged)
        else:
            unanswered += 1
    taken, twice = _once_each(votes, file.unit)
    faults = sorted([*faults, *twice], key=lambda fault: fault.line)
    return Checked(tuple(taken), tuple(faults), unanswered)


def _judge(row: Given, batches: Mapping[int, str]) -> Vote | Fault:
    choice = choice_of(row.choice)
    if choice is None:
        found = f"the answer is {row.choice[:_SHOWN]!r}"
        return Fault(row.line, RowFault.UNKNOWN_CHOICE, found)
    if not row.annotator:
        missing = "nobody is named as annotator; name one with --annotator"
        return Fault(row.line, RowFault.BAD_ROW, missing)
    if not is_text(row.annotator):
        return Fault(row.line, RowFault.BAD_ENCODING, "the annotator is no text")
    key = question_key(row.question)
    if key is None or key not in batches:
        found = f"there is no question {row.question[:_SHOWN]!r}"
        return Fault(row.line, RowFault.UNKNOWN_QUESTION, found)
    if row.batch is not None and row.batch != batches[key]:
        found = f"it is of batch {batches[key]}, not {row.batch[:_SHOWN]!r}"
        return Fault(row.line, RowFault.FOREIGN_BATCH, found)
    return Vote(row.line, key, row.annotator, choice, row.answered_at)


def _once_each(votes: Iterable[Vote], unit: str) -> tuple[list[Vote], list[Fault]]:
    """Let each person answer each question once."""
    by_person: dict[tuple[int, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        by_person[vote.question_id, vote.annotator].append(vote)
    taken: list[Vote] = []
    faults: list[Fault] = []
    for given in by_person.values():
        if len({vote.choice for vote in given}) > 1:
            faults += [_contradicted(vote, given, unit) for vote in given]
            continue
        taken.append(given[0])
        as_before = f"as in {unit} {given[0].line}"
        faults += [
            Fault(vote.line, RowFault.DUPLICATE_ROW, as_before) for vote in given[1:]
        ]
    return taken, faults


def _contradicted(vote: Vote, given: Iterable[Vote], unit: str) -> Fault:
    other = next(each for each in given if each.choice is not vote.choice)
    message = f"{vote.choice} here, {other.choice} in {unit} {other.line}"
    return Fault(vote.line, RowFault.CONFLICT, message)
