"""Validate the rows of an answer file against the questions and each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from icf.annotate.answers import (
    LONGEST_ANNOTATOR,
    AnswerFile,
    AnswerRow,
    Fault,
    Faults,
    Note,
    Notes,
    Row,
    Vote,
    is_storable,
    parse_choice,
    parse_question_id,
)
from icf.annotate.batch import OF_AUDIT, Asked
from icf.annotate.exchange.vote_spool import VoteSpool
from icf.annotate.formats.values import NOT_CREDIBLE, is_credible
from icf.codes import RowFault

#: Characters of a cell that a message quotes.
_QUOTED = 40
#: Rows that are looked at together.
_AT_ONCE = 5000

#: From ids of questions to what each that exists asks.
FindAsked = Callable[[Sequence[int]], Mapping[int, Asked]]


@dataclass(frozen=True)
class CheckedRows:
    """The rows of a file; each is in exactly one of the four groups.

    Attributes:
        votes: answers to import, in the order of the questions.
        faults: rows to refuse.
        unanswered: number of rows without an answer.
        superseded: number of rows that the same person answered again later.
        rows: number of all rows.
        notes: what is to be said about rows of these groups.
    """

    votes: Iterable[Vote]
    faults: Faults
    unanswered: int
    superseded: int
    rows: int
    notes: Notes


def check(file: AnswerFile, find_asked: FindAsked, spool: VoteSpool) -> CheckedRows:
    """Decide which rows to import and which to refuse.

    The result does not depend on the order of the rows. Of several answers of one
    person to a question the newest is imported, if all have a time. If they have none
    and differ, none of them is imported; of equal rows the first is.

    Args:
        file: the file.
        find_asked: looks questions up.
        spool: gets the answers, and holds them as long as they are needed.
    """
    faults, notes = Faults(), Notes()
    unanswered = count = 0
    for rows in _parts(file.rows):
        asked = find_asked(_question_ids(rows))
        votes: list[Vote] = []
        for row in rows:
            if not isinstance(row, Fault) and row.note is not None:
                notes.add(Note(row.line, row.note, row.question, row.item))
            checked = _check_row(row, asked) if isinstance(row, AnswerRow) else row
            if isinstance(checked, Vote):
                votes.append(checked)
            elif isinstance(checked, Fault):
                faults.add(checked)
            else:
                unanswered += 1
        spool.add(votes)
        count += len(rows)
    superseded = spool.refuse_repeated(faults, file.unit)
    return CheckedRows(spool, faults, unanswered, superseded, count, notes)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    each = iter(rows)
    while part := list(islice(each, _AT_ONCE)):
        yield part


def _question_ids(rows: Iterable[Row]) -> list[int]:
    """The ids of the questions in some rows, whether they exist or not."""
    ids = {
        parse_question_id(row.question) for row in rows if isinstance(row, AnswerRow)
    }
    return sorted(each for each in ids if each is not None)


def _check_row(row: AnswerRow, asked: Mapping[int, Asked]) -> Vote | Fault:
    def refuse(reason: RowFault, message: str) -> Fault:
        return Fault(row.line, reason, message, row.question[:_QUOTED], row.item)

    choice = parse_choice(row.choice)
    if choice is None:
        found = f"the answer is {row.choice[:_QUOTED]!r}"
        return refuse(RowFault.UNKNOWN_CHOICE, found)
    if not row.annotator:
        missing = "the annotator is missing; set one with --annotator"
        return refuse(RowFault.BAD_ROW, missing)
    if len(row.annotator) > LONGEST_ANNOTATOR:
        long = f"the annotator has over {LONGEST_ANNOTATOR} characters"
        return refuse(RowFault.BAD_ROW, long)
    if not is_storable(row.annotator):
        return refuse(RowFault.BAD_ENCODING, "the annotator is not valid text")
    if row.answered_at is not None and not is_credible(row.answered_at):
        return refuse(RowFault.BAD_ROW, NOT_CREDIBLE)
    key = parse_question_id(row.question)
    if key is None or key not in asked:
        found = f"there is no question {row.question[:_QUOTED]!r}"
        return refuse(RowFault.UNKNOWN_QUESTION, found)
    if row.batch is not None and row.batch != asked[key].batch:
        return refuse(RowFault.FOREIGN_BATCH, _foreign(row.batch, asked[key].batch))
    if others := row.faces - asked[key].faces:
        shown = (
            f"it shows face {min(others)}, which this question does not show: the file "
            "is of another workspace, or of other questions"
        )
        return refuse(RowFault.FOREIGN_PICTURES, shown)
    return Vote(
        line=row.line,
        question_id=key,
        annotator=row.annotator,
        choice=choice,
        answered_at=row.answered_at,
        seconds=row.seconds,
        item=row.item,
        origin=row.origin,
        origin_id=row.origin_id,
    )


def _foreign(named: str, own: str) -> str:
    """Say that a row names another batch than that of its question."""
    found = f"it belongs to batch {own}, not {named[:_QUOTED]!r}"
    if named.startswith(OF_AUDIT) and not own.startswith(OF_AUDIT):
        return f"{found}; files of audits are for `icf-annotate audit import`"
    if own.startswith(OF_AUDIT) and not named.startswith(OF_AUDIT):
        return f"{found}; files of questions are for `icf-annotate import`"
    return found
