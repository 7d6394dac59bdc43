"""Which answers of a file are new, beside those that are in the catalogue.

One person may have several names: a file was imported first without ``--person`` and
then with it. An answer in the catalogue is the same person's as one in the file where
the tool that both come from says so (`icf.annotate.answers.AnswerRow.origin`), or where
both are the same row of the same file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from icf.annotate.answers import Fault, Vote
from icf.annotate.formats.values import is_credible
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer
from icf.codes import Choice, RowFault


@dataclass(frozen=True)
class Source:
    """An answer file.

    Attributes:
        name: its name, without its folder.
        sha256: of its bytes.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class Earlier:
    """An answer in the catalogue.

    Attributes:
        answered_at: UTC epoch seconds; None where they are not known, or where an
            earlier version took what no moment can be.
        counts: whether no later answer of the same person replaced it.
        origin, origin_id: as in `icf.annotate.answers.AnswerRow`.
    """

    id: int
    annotator: str
    choice: Choice
    answered_at: float | None
    seconds: float | None
    source: Source
    line: int
    counts: bool
    origin: str | None
    origin_id: str | None

    def is_in(self, source: Source, line: int) -> bool:
        """Whether it is this row of a file, as far as earlier versions noted it."""
        if self.source.sha256:
            return self.source.sha256 == source.sha256
        return (self.source.name, self.line) == (source.name, line)


@dataclass(frozen=True)
class New:
    """An answer to record, and the one of the same person that it replaces."""

    vote: Vote
    replaces: Earlier | None


@dataclass(frozen=True)
class Renamed:
    """An answer whose person has another name now.

    Attributes:
        earlier: as it is in the catalogue.
        vote: as the file has it.
    """

    earlier: Earlier
    vote: Vote


@dataclass
class Changes:
    """What some answers of a file change.

    Attributes:
        new: to record.
        renamed: those in the catalogue to rename.
        outdone: ids of those that count no longer, because two names turned out to be
            one person's.
        noted: what else is known now of answers in the catalogue, by id: columns.
        taken, revised, known, outlived, faults: as in
            `icf.annotate.record.Recorded`.
    """

    new: list[New] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    outdone: list[int] = field(default_factory=list)
    noted: dict[int, dict[str, Any]] = field(default_factory=dict)
    taken: int = 0
    revised: int = 0
    known: int = 0
    outlived: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_earlier(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, list[Earlier]]:
    """All answers to questions, by question, oldest first."""
    found: dict[int, list[Earlier]] = defaultdict(list)
    query = sa.select(answer).order_by(answer.c.id)
    for row in by_ids(connection, query, answer.c.question_id, ids):
        at = row.answered_at
        found[row.question_id].append(
            Earlier(
                id=row.id,
                annotator=row.annotator,
                choice=Choice[row.choice.upper()],
                answered_at=at if at is not None and is_credible(at) else None,
                seconds=row.seconds,
                source=Source(row.file, row.file_sha256 or ""),
                line=row.line,
                counts=row.replaced_at is None,
                origin=row.origin,
                origin_id=row.origin_id,
            )
        )
    return found


def compare(
    votes: Iterable[Vote],
    existing: Container[int],
    given: Mapping[int, Sequence[Earlier]],
    source: Source,
) -> Changes:
    """Say what the answers of a file change.

    Args:
        votes: at most one per person and question.
        existing: ids of the questions that exist.
        given: what was answered before.
        source: the file.
    """
    changes = Changes()
    by_question: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        if vote.question_id in existing:
            by_question[vote.question_id].append(vote)
        else:
            message = f"question {vote.question_id} was taken down"
            changes.faults.append(
                Fault(vote.line, RowFault.UNKNOWN_QUESTION, message, item=vote.item)
            )
    for question_id, some in by_question.items():
        _compare(some, given.get(question_id, ()), source, changes)
    return changes


def _compare(
    votes: Sequence[Vote],
    given: Sequence[Earlier],
    source: Source,
    changes: Changes,
) -> None:
    """Add what the answers to one question change."""
    by_owner: dict[str, list[Earlier]] = defaultdict(list)
    owners = _Owners(votes, source)
    for earlier in given:
        vote = owners.vote_of(earlier)
        if vote is None or vote.annotator == earlier.annotator:
            by_owner[earlier.annotator].append(earlier)
        else:
            by_owner[vote.annotator].append(earlier)
            changes.renamed.append(Renamed(earlier, vote))
    for vote in votes:
        earlier_ones = by_owner.get(vote.annotator, [])
        counting = [each for each in earlier_ones if each.counts]
        kept = _newest(counting)
        changes.outdone += [each.id for each in counting if each is not kept]
        if _is_known(vote, earlier_ones, kept, source):
            changes.known += 1
            if kept is not None and kept.choice is vote.choice:
                _note(vote, kept, changes.noted)
            elif kept is not None and not (kept.answered_at and vote.answered_at):
                changes.outlived += 1
        else:
            changes.new.append(New(vote, kept))
            changes.taken += kept is None
            changes.revised += kept is not None


class _Owners:
    """Who of the people of a file gave the answers in the catalogue."""

    def __init__(self, votes: Sequence[Vote], source: Source) -> None:
        self._by_answer = {vote.origin_id: vote for vote in votes if vote.origin_id}
        self._by_person = {vote.origin: vote for vote in votes if vote.origin}
        self._by_line = {vote.line: vote for vote in votes if not vote.origin}
        self._sha256 = source.sha256

    def vote_of(self, earlier: Earlier) -> Vote | None:
        """What who gave an answer says in the file; None: nobody can tell."""
        if earlier.origin_id in self._by_answer:
            return self._by_answer[earlier.origin_id]
        # Earlier versions did not note the origin.
        origin = earlier.origin or earlier.annotator
        if origin in self._by_person:
            return self._by_person[origin]
        same_file = self._sha256 and earlier.source.sha256 == self._sha256
        if same_file and earlier.origin is None:
            return self._by_line.get(earlier.line)
        return None


def _newest(counting: Collection[Earlier]) -> Earlier | None:
    """The newest of one person's answers; of those without a time the last recorded."""
    dated = all(each.answered_at is not None for each in counting)
    return max(
        counting,
        key=lambda each: ((each.answered_at or 0.0) if dated else 0.0, each.id),
        default=None,
    )


def _is_known(
    vote: Vote, earlier: Sequence[Earlier], kept: Earlier | None, source: Source
) -> bool:
    """Whether a person's answer is recorded, or older than the one that counts.

    A file that is imported again takes nothing back that was revised since.
    """
    for each in earlier:
        if each is kept and each.choice is vote.choice:
            return True
        if each.choice is vote.choice and each.is_in(source, vote.line):
            return True
        if each is kept and each.answered_at and vote.answered_at:
            return vote.answered_at <= each.answered_at
    return False


def _note(vote: Vote, kept: Earlier, noted: dict[int, dict[str, Any]]) -> None:
    """Note what a file says of an answer that is in the catalogue.

    Its time is that of the last time it was given: what another file says that was
    answered in between is older.
    """
    values: dict[str, Any] = {}
    if (vote.answered_at or 0.0) > (kept.answered_at or 0.0):
        values["answered_at"] = vote.answered_at
    for name in ("seconds", "origin", "origin_id"):
        if getattr(kept, name) is None and getattr(vote, name) is not None:
            values[name] = getattr(vote, name)
    if values:
        noted[kept.id] = values
