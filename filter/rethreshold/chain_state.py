"""The state of images and faces in the chain.

A row waits for a step, was dropped by one, or is past the last. The row itself has its
state, except for the step that dropped it: that is in the ledger.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.rows import CHUNK, by_ids
from icf.catalogue.schema import decision
from icf.codes import FaceReason, Verdict
from icf.engine.step import Step, Subject
from icf.engine.tables import TABLES

Ids = NDArray[np.int64]
Steps = Sequence[Step[Any]]


@dataclass(frozen=True)
class ChainState:
    """The state of a row.

    Attributes:
        place: of the step that it waits for, or that dropped it; after the last one if
            it is kept.
        dropped: whether it is dropped.
        reason: the code.
    """

    place: int
    dropped: bool = False
    reason: str = FaceReason.OK.value


class ChainStates:
    """The states of all rows of a subject, in a few numbers for each.

    Rows that wait for, or were dropped by, something that is none of the steps (a
    takedown, a step that is no longer installed) are left out.

    Args:
        connection: to the catalogue.
        steps: all steps of one subject, in order.
    """

    def __init__(self, connection: sa.Connection, steps: Steps) -> None:
        self._reasons: list[str] = []
        ids, places, dropped, reasons = array("q"), array("h"), array("b"), array("h")
        for page in _pages(connection, TABLES[steps[0].subject]):
            for row_id, each in read_chain_states(connection, steps, page).items():
                ids.append(row_id)
                places.append(each.place)
                dropped.append(each.dropped)
                reasons.append(self._code(each.reason))
        # A column each: a search in a column of a structured array copies all of it.
        self._ids = np.array(ids, np.int64)
        self._places = np.array(places, np.int16)
        self._dropped = np.array(dropped, np.bool_)
        self._codes = np.array(reasons, np.int16)

    def reached(self, place: int) -> Ids:
        """The rows that have come to a step, ascending."""
        return np.asarray(self._ids[self._places >= place])

    def waiting(self, place: int) -> Ids:
        """The rows that wait for a step, ascending."""
        here = (self._places == place) & ~self._dropped
        return np.asarray(self._ids[here])

    def __contains__(self, row_id: int) -> bool:
        """Whether the row is one of them."""
        at = self._at(row_id)
        return at < len(self._ids) and bool(self._ids[at] == row_id)

    def __getitem__(self, row_id: int) -> ChainState:
        """The state of one row."""
        at = self._at(row_id)
        reason = self._reasons[self._codes[at]]
        return ChainState(int(self._places[at]), bool(self._dropped[at]), reason)

    def __setitem__(self, row_id: int, state: ChainState) -> None:
        """Set the state of one row."""
        at = self._at(row_id)
        self._places[at] = state.place
        self._dropped[at] = state.dropped
        self._codes[at] = self._code(state.reason)

    def _at(self, row_id: int) -> int:
        return int(self._ids.searchsorted(row_id))

    def _code(self, reason: str) -> int:
        if reason not in self._reasons:
            self._reasons.append(reason)
        return self._reasons.index(reason)


def read_chain_states(
    connection: sa.Connection, steps: Steps, ids: Sequence[int]
) -> dict[int, ChainState]:
    """Read the states of rows by ascending ids, without those that are left out."""
    subject = steps[0].subject
    table = TABLES[subject]
    place_of = {step.name: place for place, step in enumerate(steps)}
    columns = table.c.id, table.c.awaits, table.c.verdict, table.c.reason
    query = sa.select(*columns).order_by(table.c.id)
    rows = list(by_ids(connection, query, table.c.id, ids))
    dropped = [row.id for row in rows if row.verdict == Verdict.DROPPED.value]
    droppers = _droppers(connection, subject, dropped)
    found: dict[int, ChainState] = {}
    for row in rows:
        if row.verdict == Verdict.DROPPED.value:
            place = place_of.get(droppers.get(row.id, ""))
            if place is not None:
                found[row.id] = ChainState(place, True, row.reason)
        elif row.awaits is None:
            found[row.id] = ChainState(len(steps))
        elif row.awaits in place_of:
            found[row.id] = ChainState(place_of[row.awaits])
    return found


def _pages(connection: sa.Connection, table: sa.Table) -> Iterator[list[int]]:
    last = 0
    while True:
        query = sa.select(table.c.id).where(table.c.id > last).order_by(table.c.id)
        ids = list(connection.execute(query.limit(CHUNK)).scalars())
        if not ids:
            return
        yield ids
        last = ids[-1]


def _droppers(
    connection: sa.Connection, subject: Subject, ids: Sequence[int]
) -> dict[int, str]:
    """The step that last dropped each row."""
    query = (
        sa.select(decision.c.subject_id, decision.c.step)
        .where(
            decision.c.subject == subject,
            decision.c.verdict == Verdict.DROPPED.value,
        )
        .order_by(decision.c.id)
    )
    return {
        row.subject_id: row.step
        for row in by_ids(connection, query, decision.c.subject_id, ids)
    }


def passed_before(
    connection: sa.Connection, step: Step[Any], ids: Sequence[int]
) -> set[int]:
    """Those of some rows that once passed a step."""
    query = sa.select(decision.c.subject_id).where(
        decision.c.subject == step.subject,
        decision.c.step == step.name,
        decision.c.verdict != Verdict.DROPPED.value,
    )
    rows = by_ids(connection, query, decision.c.subject_id, ids)
    return {row.subject_id for row in rows}


def columns_of(
    connection: sa.Connection,
    subject: Subject,
    names: Collection[str],
    ids: Sequence[int],
) -> dict[int, dict[str, Any]]:
    """Read some columns of some rows, by id."""
    table = TABLES[subject]
    query = sa.select(table.c.id, *(table.c[name] for name in sorted(names)))
    rows = by_ids(connection, query, table.c.id, ids)
    return {row.id: dict(row._mapping) for row in rows}
