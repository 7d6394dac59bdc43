"""Write answers to the catalogue, and the labels that follow from them."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from icf.annotate.answers import Fault, Vote
from icf.annotate.consequences import Effects, follow
from icf.annotate.labels import Labelled, read_labelled, write_posteriors
from icf.annotate.rule import Rule
from icf.catalogue import ledger, merges, reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.references import LABEL
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label, RowFault

T = TypeVar("T")

#: The step of the ledger of an answer that replaces another.
REVISION_STEP = "answer"

#: Answers per transaction.
CHUNK = 500


@dataclass
class Recorded:
    """The result of recording the answers of a file.

    Attributes:
        taken: number of new answers.
        revised: number of answers that replace an earlier one of the same person.
        known: number of answers that were already in the catalogue.
        faults: answers to questions that were taken down.
        labels: number of questions by their new label.
        unmerged: number of characters whose merge was undone with its answer.
        effects: what followed for references and faces.
    """

    taken: int = 0
    revised: int = 0
    known: int = 0
    unmerged: int = 0
    effects: Effects = field(default_factory=Effects)
    faults: list[Fault] = field(default_factory=list)
    labels: Counter[Label] = field(default_factory=Counter)


def read_batches(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The batch of each question that exists."""
    query = sa.select(question.c.id, question.c.batch_id)
    rows = by_ids(connection, query, question.c.id, ids)
    return {row.id: row.batch_id for row in rows}


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
                existing = _lock(connection, sorted({v.question_id for v in part}))
                given = _read_given(connection, existing)
                new = _select_new(part, existing, given, self.source, total)
                self._insert(connection, new)
                self._follow(connection, existing, new, total)
            done(len(part))
        return total

    def _follow(
        self,
        connection: sa.Connection,
        ids: Sequence[int],
        new: Sequence[_New],
        total: Recorded,
    ) -> None:
        """Let everything follow the answers to some questions."""
        voted = {each.vote.question_id for each in new}
        asked = [
            each if _is_labelled(each, voted) else replace(each, agreed=each.before)
            for each in read_labelled(connection, ids, self.rule)
        ]
        changed = [each for each in asked if each.agreed is not each.before]
        self._write_labels(connection, changed)
        write_posteriors(connection, asked)
        unfounded = merges.unfounded(connection)
        effects = follow(connection, self.run_id, asked, self.rule)
        labels = {each.id: each.agreed for each in changed} | effects.relabelled
        reviews.follow(connection, sorted(labels))
        total.unmerged += self._undo_merges(connection, unfounded)
        total.labels.update(labels.values())
        total.effects.add(effects)

    def _undo_merges(self, connection: sa.Connection, unfounded: Container[int]) -> int:
        """Undo merges that the answers said before and no longer say."""
        taken_back = [
            each for each in merges.unfounded(connection) if each not in unfounded
        ]
        for each in taken_back:
            merges.undo(connection, self.run_id, each)
        return len(taken_back)

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

    def _write_labels(
        self, connection: sa.Connection, changed: Iterable[Labelled]
    ) -> None:
        by_label: dict[Label, list[int]] = defaultdict(list)
        for each in changed:
            by_label[each.agreed].append(each.id)
        for label, keys in by_label.items():
            update = sa.update(question).where(question.c.id.in_(keys))
            connection.execute(update.values(label=label.value))
        decisions = [
            ledger.Decision(
                subject="question",
                subject_id=each.id,
                step=LABEL,
                verdict=each.agreed.value,
                reason=each.agreed.value,
                value=each.settled.value,
                threshold=each.settled.threshold,
                message="an expert settled it" if each.settled.by_expert else None,
            )
            for each in changed
        ]
        ledger.append(connection, self.run_id, decisions)


def _is_labelled(asked: Labelled, voted: Container[int]) -> bool:
    """Whether a question gets the label of its answers.

    One that was withdrawn does not, unless a new answer says that no face is shown, or
    once more that the reference is wrong.
    """
    if asked.before is not Label.WITHDRAWN:
        return True
    says_more = asked.agreed is Label.NOT_A_FACE or asked.refuses(asked.agreed)
    return says_more and asked.id in voted


def _lock(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    """Those of the questions that exist; nobody else labels any until the end."""
    if connection.dialect.name == "postgresql":
        # An answer may withdraw other questions than its own.
        connection.execute(sa.text("LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"))
    return sorted(read_batches(connection, ids))


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
    """The line of the ledger about an answer that replaces another."""
    old, vote = new.replaces, new.vote
    assert old is not None
    return ledger.Decision(
        "question",
        vote.question_id,
        REVISION_STEP,
        vote.choice.value,
        vote.choice.value,
        message=f"{vote.annotator} answered {old.choice} before, in {old.source.name}",
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
