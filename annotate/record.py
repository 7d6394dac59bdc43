"""Record the answers of a file, and let labels follow (`icf.annotate.following`)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from icf.annotate.answers import Fault, Vote
from icf.annotate.following import Followed, Follower, lock, read_batches
from icf.annotate.rule import Rule
from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer
from icf.codes import Choice, RowFault

T = TypeVar("T")

#: The step of the ledger of an answer that replaces another.
REVISION_STEP = "answer"

#: Answers per transaction.
CHUNK = 500


@dataclass
class Recorded(Followed):
    """The result of recording the answers of a file, with what followed.

    Attributes:
        taken: number of new answers.
        revised: number of answers that replace an earlier one of the same person.
        known: number of answers that were already in the catalogue.
        faults: answers to questions that were taken down.
    """

    taken: int = 0
    revised: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """An answer file.

    Attributes:
        name: its name, without its folder.
        sha256: of its bytes.
    """

    name: str
    sha256: str


def preview(
    connection: sa.Connection, source: Source, votes: Iterable[Vote]
) -> Recorded:
    """Count what `Recorder.record` would do, without deriving labels."""
    total = Recorded()
    for part in _chunks(votes):
        ids = sorted({vote.question_id for vote in part})
        existing = read_batches(connection, ids)
        _select_new(part, existing, _read_given(connection, ids), source, total)
    return total


@dataclass(frozen=True)
class Recorder:
    """Records answers, in transactions of `CHUNK` answers each.

    Attributes:
        catalogue: where to record.
        run_id: the run that imports the answers.
        source: the answer file.
        rule: how labels follow from answers.
    """

    catalogue: Catalogue
    run_id: int
    source: Source
    rule: Rule

    def record(
        self,
        votes: Iterable[Vote],
        done: Callable[[int], None] = lambda answers: None,
    ) -> Recorded:
        """Record all new answers, and label the questions they are about.

        A person's later answer replaces the earlier one, which stays in the table. If
        the program is killed, complete transactions remain, and the same call records
        the rest.

        Args:
            votes: at most one per person and question.
            done: called with the number of answers of each transaction.
        """
        total = Recorded()
        for part in _chunks(votes):
            with self.catalogue.write() as connection:
                existing = lock(connection, sorted({v.question_id for v in part}))
                given = _read_given(connection, existing)
                new = _select_new(part, existing, given, self.source, total)
                self._insert(connection, new)
                voted = {each.vote.question_id for each in new}
                follower = Follower(self.run_id, self.rule)
                follower.follow(connection, existing, voted, total)
            done(len(part))
        return total

    def _insert(self, connection: sa.Connection, new: Sequence[_New]) -> None:
        now = time.time()
        replaced = [each.replaces.id for each in new if each.replaces]
        if replaced:
            update = sa.update(answer).where(answer.c.id.in_(replaced))
            connection.execute(update.values(replaced_at=now))
        rows = [
            {
                "question_id": each.vote.question_id,
                "annotator": each.vote.annotator,
                "choice": each.vote.choice.value,
                "answered_at": each.vote.answered_at,
                "imported_at": now,
                "file": self.source.name,
                "file_sha256": self.source.sha256,
                "line": each.vote.line,
            }
            for each in new
        ]
        if rows:
            connection.execute(sa.insert(answer), rows)
        ledger.append(connection, self.run_id, map(_revision, filter(_revises, new)))


@dataclass(frozen=True)
class _Given:
    """An answer in the catalogue.

    Attributes:
        counts: whether no later answer of the same person replaced it.
    """

    id: int
    choice: Choice
    answered_at: float | None
    source: Source
    line: int
    counts: bool

    def is_in(self, source: Source, line: int) -> bool:
        """Whether it is this row of a file, as far as earlier versions noted it."""
        if self.source.sha256:
            return self.source.sha256 == source.sha256
        return (self.source.name, self.line) == (source.name, line)


@dataclass(frozen=True)
class _New:
    """An answer to record, and the one of the same person that it replaces."""

    vote: Vote
    replaces: _Given | None


def _revises(new: _New) -> bool:
    return new.replaces is not None


def _revision(new: _New) -> ledger.Decision:
    old, vote = new.replaces, new.vote
    assert old is not None
    before = f"{old.choice} before, in {old.source.name}"
    return revision(vote.question_id, vote.annotator, vote.choice, before)


def revision(
    question_id: int, annotator: str, choice: Choice, before: str
) -> ledger.Decision:
    """The line of the ledger about an answer that replaces another.

    Args:
        question_id: what it is about.
        annotator: whose answer.
        choice: what counts now.
        before: what counted until then, and where it was given.
    """
    return ledger.Decision(
        "question",
        question_id,
        REVISION_STEP,
        choice.value,
        choice.value,
        message=f"{annotator} answered {before}",
    )


def _read_given(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[tuple[int, str], list[_Given]]:
    """All answers to questions, by question and person, oldest first."""
    found: dict[tuple[int, str], list[_Given]] = defaultdict(list)
    query = sa.select(answer).order_by(answer.c.id)
    for row in by_ids(connection, query, answer.c.question_id, ids):
        found[row.question_id, row.annotator].append(
            _Given(
                row.id,
                Choice[row.choice.upper()],
                row.answered_at,
                Source(row.file, row.file_sha256 or ""),
                row.line,
                row.replaced_at is None,
            )
        )
    return found


def _select_new(
    votes: Iterable[Vote],
    existing: Container[int],
    given: Mapping[tuple[int, str], Sequence[_Given]],
    source: Source,
    total: Recorded,
) -> list[_New]:
    """Return the answers to record; count all of them in ``total``."""
    new = []
    for vote in votes:
        if vote.question_id not in existing:
            message = f"question {vote.question_id} was taken down"
            total.faults.append(Fault(vote.line, RowFault.UNKNOWN_QUESTION, message))
            continue
        earlier = given.get((vote.question_id, vote.annotator), ())
        if _is_known(vote, earlier, source):
            total.known += 1
            continue
        new.append(_New(vote, next((each for each in earlier if each.counts), None)))
        total.taken += not earlier
        total.revised += bool(earlier)
    return new


def _is_known(vote: Vote, earlier: Sequence[_Given], source: Source) -> bool:
    """Whether a person's answer is recorded, or older than the one that counts.

    A file that is imported again takes nothing back that was revised since.
    """
    for each in earlier:
        if each.counts and each.choice is vote.choice:
            return True
        if each.choice is vote.choice and each.is_in(source, vote.line):
            return True
        if each.counts and each.answered_at and vote.answered_at:
            return vote.answered_at <= each.answered_at
    return False


def _chunks(items: Iterable[T]) -> Iterator[Sequence[T]]:
    each = iter(items)
    while part := list(islice(each, CHUNK)):
        yield part
