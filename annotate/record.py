"""Write answers to the catalogue, and the labels that follow from them."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from icf.annotate.answers import Fault
from icf.annotate.check import Vote
from icf.annotate.votes import agreed_label
from icf.catalogue import ledger, reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label, RowFault

T = TypeVar("T")

#: The step's name in the ledger.
STEP = "label"

#: Answers per transaction.
CHUNK = 500


@dataclass
class Recorded:
    """The result of recording the answers of a file.

    Attributes:
        taken: number of new answers.
        known: number of answers that were already in the catalogue.
        faults: answers that contradict an earlier one of the same person.
        labels: number of questions by their new label.
    """

    taken: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    labels: Counter[Label] = field(default_factory=Counter)


def read_batches(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The batch of each question that exists."""
    query = sa.select(question.c.id, question.c.batch_id)
    rows = by_ids(connection, query, question.c.id, ids)
    return {row.id: row.batch_id for row in rows}


def preview(connection: sa.Connection, votes: Sequence[Vote]) -> Recorded:
    """Count what `Recorder.record` would do, without deriving labels."""
    total = Recorded()
    for part in _chunks(votes):
        earlier = _read_earlier(connection, sorted({vote.question_id for vote in part}))
        total.taken += len(_select_new(part, earlier, total))
    return total


@dataclass(frozen=True)
class Recorder:
    """Records answers, in transactions of `CHUNK` answers each.

    Attributes:
        catalogue: where to record.
        run_id: the run that imports the answers.
        file: the name of the answer file.
        needed: number of agreeing answers that settles a question.
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
        """Record all new answers, and label the questions they are about.

        If the program is killed, complete transactions remain, and the same call
        records the rest.

        Args:
            votes: at most one per person and question.
            done: called with the number of answers of each transaction.
        """
        total = Recorded()
        for part in _chunks(votes):
            with self.catalogue.write() as connection:
                labels = _lock(connection, sorted({v.question_id for v in part}))
                earlier = _read_earlier(connection, list(labels))
                new = _select_new(part, earlier, total)
                self._insert(connection, new)
                changed = self._changed_labels(labels, earlier, new)
                self._write_labels(connection, changed)
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

    def _changed_labels(
        self,
        labels: Mapping[int, str],
        earlier: Mapping[int, Mapping[str, Choice]],
        new: Iterable[Vote],
    ) -> dict[int, tuple[Label, int]]:
        """The new label of each question that changes, and how many agree on it."""
        counts = {key: Counter(earlier[key].values()) for key in labels}
        for vote in new:
            counts[vote.question_id][vote.choice] += 1
        changed = {}
        for key, before in labels.items():
            label = agreed_label(counts[key], self.needed)
            if label.value != before:
                changed[key] = label, max(counts[key].values(), default=0)
        return changed

    def _write_labels(
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
    """Lock questions until the transaction ends; return their labels."""
    query = (
        sa.select(question.c.id, question.c.label)
        .where(question.c.id.in_(ids))
        .order_by(question.c.id)
        .with_for_update()
    )
    return {row.id: row.label for row in connection.execute(query)}


def _read_earlier(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, dict[str, Choice]]:
    """The recorded answers to questions, by question and person."""
    found: dict[int, dict[str, Choice]] = {key: {} for key in ids}
    query = sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice)
    for row in connection.execute(query.where(answer.c.question_id.in_(ids))):
        found[row.question_id][row.annotator] = Choice[row.choice.upper()]
    return found


def _select_new(
    votes: Iterable[Vote],
    earlier: Mapping[int, Mapping[str, Choice]],
    total: Recorded,
) -> list[Vote]:
    """Return the new answers; count the others in ``total``."""
    new = []
    for vote in votes:
        if vote.question_id not in earlier:
            message = f"question {vote.question_id} was taken down"
            total.faults.append(Fault(vote.line, RowFault.UNKNOWN_QUESTION, message))
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


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
