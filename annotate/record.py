"""Record the answers of a file, and let labels follow (`icf.annotate.following`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.annotate.answers import Fault, Vote
from icf.annotate.batch import read_asked
from icf.annotate.exchange.earlier import (
    Changes,
    New,
    Renamed,
    Source,
    compare,
    read_earlier,
)
from icf.annotate.following import Followed, Follower, lock
from icf.annotate.people.people import lock_people
from icf.annotate.rule import Rule
from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer
from icf.codes import Choice

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
        outlived: how many of these are without a time and were changed since; the later
            ones count.
        renamed: number of answers in the catalogue whose person has another name now.
        faults: answers to questions that were taken down.
    """

    taken: int = 0
    revised: int = 0
    known: int = 0
    outlived: int = 0
    renamed: int = 0
    faults: list[Fault] = field(default_factory=list)

    def count(self, changes: Changes) -> None:
        """Count what some answers change."""
        self.taken += changes.taken
        self.revised += changes.revised
        self.known += changes.known
        self.outlived += changes.outlived
        self.renamed += len(changes.renamed)
        self.faults += changes.faults


def preview(
    connection: sa.Connection, source: Source, votes: Iterable[Vote]
) -> Recorded:
    """Count what `Recorder.record` would do, without deriving labels."""
    total = Recorded()
    for part in _chunks(votes):
        ids = sorted({vote.question_id for vote in part})
        existing = read_asked(connection, ids)
        total.count(compare(part, existing, read_earlier(connection, ids), source))
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
                lock_people(connection, {vote.annotator for vote in part})
                given = read_earlier(connection, existing)
                changes = compare(part, existing, given, self.source)
                self._change(connection, changes)
                self._insert(connection, changes.new)
                total.count(changes)
                voted = {each.vote.question_id for each in changes.new}
                follower = Follower(self.run_id, self.rule)
                follower.follow(connection, existing, voted, total)
            done(len(part))
        return total

    def _change(self, connection: sa.Connection, changes: Changes) -> None:
        """Change answers that are in the catalogue."""
        now = time.time()
        # Only one answer of a name may count, also in between.
        moved = [each.earlier.id for each in changes.renamed if each.earlier.counts]
        ended = sorted({*moved, *changes.outdone})
        if ended:
            update = sa.update(answer).where(answer.c.id.in_(ended))
            connection.execute(update.values(replaced_at=now))
        outdone = set(changes.outdone)
        for each in changes.renamed:
            values: dict[str, object] = {"annotator": each.vote.annotator}
            if each.vote.origin:
                values["origin"] = each.vote.origin
            if each.earlier.counts and each.earlier.id not in outdone:
                values["replaced_at"] = None
            self._set(connection, each.earlier.id, values)
        for key, noted in changes.noted.items():
            self._set(connection, key, noted)
        ledger.append(connection, self.run_id, map(_renaming, changes.renamed))

    def _set(
        self, connection: sa.Connection, key: int, values: dict[str, object]
    ) -> None:
        update = sa.update(answer).where(answer.c.id == key)
        connection.execute(update.values(**values))

    def _insert(self, connection: sa.Connection, new: Sequence[New]) -> None:
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
                "seconds": each.vote.seconds,
                "origin": each.vote.origin,
                "origin_id": each.vote.origin_id,
            }
            for each in new
        ]
        if rows:
            connection.execute(sa.insert(answer), rows)
        ledger.append(connection, self.run_id, map(_revision, filter(_revises, new)))


def _revises(new: New) -> bool:
    return new.replaces is not None


def _revision(new: New) -> ledger.Decision:
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


def _renaming(renamed: Renamed) -> ledger.Decision:
    """The line of the ledger about an answer whose person has another name now."""
    earlier, vote = renamed.earlier, renamed.vote
    return ledger.Decision(
        "question",
        vote.question_id,
        REVISION_STEP,
        earlier.choice.value,
        earlier.choice.value,
        message=f"{earlier.annotator} is called {vote.annotator} now",
    )


def _chunks(votes: Iterable[Vote]) -> Iterator[Sequence[Vote]]:
    """Parts of answers that are sorted by question; those to one stay together.

    Who gave which earlier answer can only be seen from all of them. A question with
    more answers than twice a part has is divided all the same.
    """
    part: list[Vote] = []
    for vote in votes:
        full = len(part) >= CHUNK and vote.question_id != part[-1].question_id
        if full or len(part) >= 2 * CHUNK:
            yield part
            part = []
        part.append(vote)
    if part:
        yield part
