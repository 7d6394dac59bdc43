"""Write answers to the catalogue, and with them the labels they amount to."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from icf.annotate.answers import Fault
from icf.annotate.check import Vote
from icf.annotate.votes import label_of
from icf.catalogue import ledger, reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label, RowFault

T = TypeVar("T")

#: The step's name in the ledger.
STEP = "label"

#: Answers in one transaction.
CHUNK = 500


@dataclass
class Recorded:
    """What became of the answers of a file.

    Attributes:
        taken: answers that are new.
        known: answers that were in the catalogue already.
        faults: answers that contradict an earlier one of the same person.
        labels: questions by the label they newly got.
    """

    taken: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    labels: Counter[Label] = field(default_factory=Counter)


def batches_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The batch of each question that exists."""
    found: dict[int, str] = {}
    for part in _parts(ids):
        query = sa.select(question.c.id, question.c.batch_id)
        rows = connection.execute(query.where(question.c.id.in_(part)))
        found.update((row.id, row.batch_id) for row in rows)
    return found


def preview(connection: sa.Connection, votes: Sequence[Vote]) -> Recorded:
    """Tell what `Recorder.record` would do; labels are not worked out."""
    total = Recorded()
    for part in _parts(votes):
        earlier = _earlier(connection, sorted({vote.question_id for vote in part}))
        total.taken += len(_new(part, earlier, total))
    return total


@dataclass(frozen=True)
class Recorder:
    """Takes answers, a transaction every `CHUNK` of them.

    Attributes:
        catalogue: where to.
        run_id: the run that takes them.
        file: the name of the file they are from.
        needed: agreeing answers that settle a question.
    """

    catalogue: Catalogue
    run_id: int
    file: str
    needed: int

    def record(
        self,
        votes: Sequence[Vote],
        done: Callable[[int], None] = lambda answers: None,
    ) -> Recorded:
        """Take all answers that are new, and label every question they are about.

        A program that is killed here has taken whole transactions; the same call again
        takes the rest.

        Args:
            votes: one a person and question.
            done: is told how many answers are done.
        """
        total = Recorded()
        for part in _parts(votes):
            with self.catalogue.write() as connection:
                labels = _lock(connection, sorted({v.question_id for v in part}))
                earlier = _earlier(connection, list(labels))
                new = _new(part, earlier, total)
                self._insert(connection, new)
                changed = self._changed(labels, earlier, new)
                self._label(connection, changed)
                reviews.follow(connection, sorted(changed))
            total.taken += len(new)
            total.labels.update(label for label, _ in changed.values())
            done(len(part))
        return total

    def _insert(self, connection: sa.Connection, votes: Sequence[Vote]) -> None:
        now = time.time()
        rows = [
            {
                "question_id": vote.question_id,
                "annotator": vote.annotator,
                "choice": vote.choice.value,
                "answered_at": vote.answered_at,
                "imported_at": now,
                "file": self.file,
                "line": vote.line,
            }
            for vote in votes
        ]
        if rows:
            connection.execute(sa.insert(answer), rows)

    def _changed(
        self,
        labels: Mapping[int, str],
        earlier: Mapping[int, Mapping[str, Choice]],
        new: Iterable[Vote],
    ) -> dict[int, tuple[Label, int]]:
        """The questions whose label changes: to what, by how many answers."""
        counts = {key: Counter(earlier[key].values()) for key in labels}
        for vote in new:
            counts[vote.question_id][vote.choice] += 1
        changed = {}
        for key, before in labels.items():
            label = label_of(counts[key], self.needed)
            if label.value != before:
                changed[key] = label, max(counts[key].values(), default=0)
        return changed

    def _label(
        self, connection: sa.Connection, changed: Mapping[int, tuple[Label, int]]
    ) -> None:
        by_label: dict[Label, list[int]] = defaultdict(list)
        for key, (label, _) in changed.items():
            by_label[label].append(key)
        for label, keys in by_label.items():
            update = sa.update(question).where(question.c.id.in_(keys))
            connection.execute(update.values(label=label.value))
        decisions = [
            ledger.Decision(
                subject="question",
                subject_id=key,
                step=STEP,
                verdict=label.value,
                reason=label.value,
                value=float(agreeing),
                threshold=float(self.needed),
            )
            for key, (label, agreeing) in changed.items()
        ]
        ledger.append(connection, self.run_id, decisions)


def _lock(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The labels of questions, which no other import changes until we are done."""
    query = (
        sa.select(question.c.id, question.c.label)
        .where(question.c.id.in_(ids))
        .order_by(question.c.id)
        .with_for_update()
    )
    return {row.id: row.label for row in connection.execute(query)}


def _earlier(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, dict[str, Choice]]:
    """The answers to questions so far, by person."""
    found: dict[int, dict[str, Choice]] = {key: {} for key in ids}
    query = sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice)
    for row in connection.execute(query.where(answer.c.question_id.in_(ids))):
        found[row.question_id][row.annotator] = Choice[row.choice.upper()]
    return found


def _new(
    votes: Iterable[Vote],
    earlier: Mapping[int, Mapping[str, Choice]],
    total: Recorded,
) -> list[Vote]:
    """The answers that are new; the others are counted in ``total``."""
    new = []
    for vote in votes:
        if vote.question_id not in earlier:
            gone = f"question {vote.question_id} was taken down"
            total.faults.append(Fault(vote.line, RowFault.UNKNOWN_QUESTION, gone))
            continue
        before = earlier[vote.question_id].get(vote.annotator)
        if before is None:
            new.append(vote)
        elif before is vote.choice:
            total.known += 1
        else:
            message = f"{vote.choice} here, {before} in an earlier file"
            total.faults.append(Fault(vote.line, RowFault.CONFLICT, message))
    return new


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
