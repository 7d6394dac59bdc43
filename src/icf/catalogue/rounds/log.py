"""The rounds of a workspace: how far each has come, and what it found.

A round has a row with the state it has reached and a summary in JSON. Both move
together, in one transaction, so a round that was killed goes on in the state in which
it was. While a round is open, every run belongs to it (`icf.catalogue.ledger`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import round_
from icf.codes import RoundState

Summary = Mapping[str, Any]

_STATES = {each.value: each for each in RoundState}


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        id: its row.
        number: from 1.
        state: that it has reached.
        summary: what it has found so far, by state.
        started_at: UTC epoch seconds.
        finished_at: likewise; None while it is open.
    """

    id: int
    number: int
    state: RoundState
    summary: Summary
    started_at: float
    finished_at: float | None

    @property
    def is_open(self) -> bool:
        """Whether it has not come to its end."""
        return self.finished_at is None


def read_rounds(connection: sa.Connection) -> list[Round]:
    """Read all rounds, by number."""
    rows = connection.execute(sa.select(round_).order_by(round_.c.number))
    return [
        Round(
            row.id,
            row.number,
            _STATES[row.status],
            json.loads(row.summary or "{}"),
            row.started_at,
            row.finished_at,
        )
        for row in rows
    ]


def newest(connection: sa.Connection) -> Round | None:
    """Read the newest round; None if there was none."""
    return next(reversed(read_rounds(connection)), None)


def open_or_begin(connection: sa.Connection) -> Round:
    """Return the round that is open, or a new one.

    Args:
        connection: a transaction that writes.
    """
    last = newest(connection)
    if last is not None and last.is_open:
        return last
    number = last.number + 1 if last else 1
    insert = sa.insert(round_).values(
        number=number, status=RoundState.FILTER.value, started_at=time.time()
    )
    connection.execute(insert)
    made = newest(connection)
    assert made is not None
    return made


def move(
    connection: sa.Connection, round_id: int, state: RoundState, found: Summary
) -> None:
    """Let a round reach a state, with what it found on the way.

    Args:
        connection: a transaction that writes.
        round_id: the round's row.
        state: the next state; the last one ends it.
        found: put over its summary, key by key.
    """
    one = round_.c.id == round_id
    before = connection.execute(sa.select(round_.c.summary).where(one)).scalar_one()
    values: dict[str, Any] = {
        "status": state.value,
        "summary": json.dumps({**json.loads(before or "{}"), **found}),
    }
    if state is RoundState.DONE:
        values["finished_at"] = time.time()
    connection.execute(sa.update(round_).where(one).values(values))
