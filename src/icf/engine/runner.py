"""Run a step on everything that waits for it.

One transaction per batch: the decisions, the rows' new state, the faces found. What is
written is no longer pending: a killed run continues when it is started again, and two
runners at once judge some rows twice but record each decision once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue import ledger, references, row_state, tombstones
from icf.catalogue.bulk_insert import among
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.face_character import current_character, is_of
from icf.catalogue.filing import file_under_nobody, filed_under
from icf.catalogue.rows import count_rows, lock, lock_table
from icf.catalogue.schema import face, question
from icf.codes import Verdict
from icf.engine.engine import Engine
from icf.engine.step import Item, NewFace, Outcome, Step, Subject
from icf.engine.tables import TABLES
from icf.stores.vectors import VectorStore

#: Called with how many rows a batch settled.
Progress = Callable[[int], None]
#: Opens a progress bar with a title and a total.
Bar = Callable[[str, int], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Chain:
    """The steps in the order in which a row passes them."""

    steps: tuple[Step[Any], ...]

    def first(self, subject: Subject) -> str | None:
        """The first step for a new row of ``subject``."""
        return next((s.name for s in self.steps if s.subject == subject), None)

    def later(self, step: Step[Any]) -> tuple[str, ...]:
        """The steps for the same subject that come after ``step``."""
        same = [s.name for s in self.steps if s.subject == step.subject]
        return tuple(same[same.index(step.name) + 1 :])


@dataclass
class Tally:
    """The results of one step: how many passed, and the others by reason.

    Attributes:
        waiting: those that could not be judged, and wait for the step as before.
    """

    step: str
    passed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Runner:
    """Runs steps, and writes what they decide.

    Attributes:
        catalogue: where rows are read and decisions written.
        vectors: where embeddings go.
        engine: what judges.
        run_id: the run the decisions are charged to.
        chain: all steps, in order.
        batch: rows a step takes at a time.
    """

    catalogue: Catalogue
    vectors: VectorStore
    engine: Engine
    run_id: int
    chain: Chain
    batch: int = 64

    def run(self, step: Step[Any], progress: Progress | None = None) -> Tally:
        """Judge every row that waits for ``step``; return the counts."""
        tally = Tally(step.name)
        for judged in self.engine.judge(step, self._batches(step)):
            tally.waiting.update(each.reason for each in judged if each.waits)
            recorded = self._record(step, [each for each in judged if not each.waits])
            for outcome in recorded:
                if outcome.passed:
                    tally.passed += 1
                else:
                    tally.dropped[outcome.reason] += 1
            if progress:
                progress(len(recorded))
        return tally

    def pending(self, step: Step[Any]) -> int:
        """How many rows wait for ``step``."""
        table = TABLES[step.subject]
        with self.catalogue.read() as connection:
            return count_rows(connection, table, table.c.awaits == step.name)

    def _batches(self, step: Step[Any]) -> Iterator[list[Item]]:
        pages = self._pages_by_group if step.grouped else self._pages_by_id
        for ids in pages(step):
            with self.catalogue.read() as connection:
                items = step.select(connection, ids)
            # Not inside: SQLite's log grows as long as one transaction reads.
            yield items

    def _pages_by_id(self, step: Step[Any]) -> Iterator[list[int]]:
        table = TABLES[step.subject]
        last = 0
        while True:
            page = (
                sa.select(table.c.id)
                .where(table.c.awaits == step.name, table.c.id > last)
                .order_by(table.c.id)
                .limit(self.batch)
            )
            with self.catalogue.read() as connection:
                ids = _ids(connection, page)
            if not ids:
                return
            last = ids[-1]
            yield ids

    def _pages_by_group(self, step: Step[Any]) -> Iterator[list[int]]:
        """Whole characters, with the faces that passed before as context."""
        waiting = sa.select(current_character()).where(face.c.awaits == step.name)
        with self.catalogue.read() as connection:
            groups = sorted(_ids(connection, waiting.distinct()))
        for group in groups:
            with self.catalogue.read() as connection:
                ids = _ids(connection, self._of_group(step, group))
            if ids:
                yield ids

    def _of_group(self, step: Step[Any], group: int) -> sa.Select[Any]:
        kept = sa.and_(face.c.awaits.is_(None), face.c.verdict == Verdict.KEPT.value)
        here = face.c.awaits.in_([step.name, *self.chain.later(step)])
        return (
            sa.select(face.c.id)
            .where(is_of(group), sa.or_(here, kept))
            .order_by(face.c.id)
        )

    def _record(self, step: Step[Any], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what is still pending of ``outcomes``; return that part."""
        store_vectors(self.vectors, outcomes)
        with self.catalogue.write() as connection:
            if any(each.reference_of is not None for each in outcomes):
                # Takedowns, and labels that follow from answers, change faces after it.
                lock_table(connection, question)
            waiting = _still_waiting(connection, step, [o.id for o in outcomes])
            late = {o.id for o in outcomes if o.vector is not None} - waiting
            withdrawn = tombstones.withdrawn_faces(connection, late)
            outcomes = [o for o in outcomes if o.id in waiting]
            following = next(iter(self.chain.later(step)), None)
            states = [_state(step, outcome, following) for outcome in outcomes]
            row_state.write(connection, self.run_id, states)
            insert_faces(connection, self.chain, outcomes)
            _set_references(connection, self.run_id, outcomes)
        if withdrawn:
            # A takedown has gone over the vectors before these were there.
            self.vectors.erase(np.array(sorted(withdrawn), np.int64))
        return list(outcomes)


def insert_faces(
    connection: sa.Connection, chain: Chain, outcomes: Sequence[Outcome]
) -> None:
    """Insert the faces that were found in images; they wait for their first step.

    Args:
        connection: a transaction that writes.
        chain: all steps.
        outcomes: of images, with their faces and the model that found them.
    """
    found = [o for o in outcomes if o.faces]
    if not found:
        return
    images = [outcome.id for outcome in found]
    file_under_nobody(connection, images)
    filed = filed_under(connection, images)
    now = time.time()
    rows = [
        {
            **_face_columns(new),
            "image_id": outcome.id,
            "detector": outcome.model,
            "filed_under_id": filed[outcome.id],
            "awaits": chain.first("face"),
            "verdict": Verdict.PENDING.value,
            "reason": "ok",
            "found_at": now,
        }
        for outcome in found
        for new in outcome.faces
    ]
    connection.execute(sa.insert(face), rows)


def store_vectors(vectors: VectorStore, outcomes: Sequence[Outcome]) -> list[int]:
    """Store the vectors of outcomes, and return whose they are.

    Before their rows: a row that says it is embedded must have its vector.
    """
    by_model: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.vector is not None and outcome.model is not None:
            by_model.setdefault(outcome.model, []).append(outcome)
    for model, some in by_model.items():
        ids = np.array([outcome.id for outcome in some], np.int64)
        matrix = np.stack([o.vector for o in some if o.vector is not None])
        vectors.append(model, ids, matrix)
    return [outcome.id for some in by_model.values() for outcome in some]


def _ids(connection: sa.Connection, query: sa.Select[Any]) -> list[int]:
    return list(connection.execute(query).scalars())


def _state(
    step: Step[Any], outcome: Outcome, following: str | None
) -> row_state.RowState:
    awaits = following if outcome.passed else None
    dropped, reason = not outcome.passed, str(outcome.reason)
    decided = decision(step, outcome, awaits, dropped=dropped, reason=reason)
    return row_state.RowState(decided, awaits, outcome.columns)


def decision(
    step: Step[Any],
    outcome: Outcome,
    awaits: str | None,
    *,
    dropped: bool,
    reason: str,
) -> ledger.Decision:
    """The line of the ledger for an outcome, and for what follows from it.

    Args:
        step: the step that judged the row.
        outcome: what it measured.
        awaits: the step that the row waits for then.
        dropped: whether the row is dropped.
        reason: the code.
    """
    kept = Verdict.PENDING if awaits else Verdict.KEPT
    return ledger.Decision(
        subject=step.subject,
        subject_id=outcome.id,
        step=step.name,
        verdict=(Verdict.DROPPED if dropped else kept).value,
        reason=reason,
        value=outcome.value,
        threshold=outcome.threshold,
        model=outcome.model,
        message=outcome.message,
    )


def _still_waiting(
    connection: sa.Connection, step: Step[Any], ids: Sequence[int]
) -> set[int]:
    table = TABLES[step.subject]
    chosen = sa.and_(among(connection, table.c.id, ids), table.c.awaits == step.name)
    return set(lock(connection, table, chosen))


def _face_columns(new: NewFace) -> dict[str, object]:
    x1, y1, x2, y2 = new.box
    columns = {name: value for name, value in vars(new).items() if name != "box"}
    return {**columns, "x1": x1, "y1": y1, "x2": x2, "y2": y2}


def _set_references(
    connection: sa.Connection, run_id: int, outcomes: Sequence[Outcome]
) -> None:
    for outcome in outcomes:
        if outcome.reference_of is not None:
            references.replace(
                connection,
                run_id,
                outcome.reference_of,
                outcome.id,
                outcome.reference_by,
            )
