"""Comparisons in the catalogue: the table ``gate``."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.schema import gate
from icf.models.gate.report import GateReport
from icf.models.registry.tasks import ON_CARDS, Task


@dataclass(frozen=True)
class StoredGate:
    """A comparison that was made.

    Attributes:
        id: of its row.
        report: what it found.
    """

    id: int
    report: GateReport


def store(
    connection: sa.Connection, report: GateReport, round_id: int | None = None
) -> StoredGate:
    """Enter a comparison.

    Args:
        connection: a transaction that writes.
        report: what it found.
        round_id: the round that it is a part of.
    """
    row = sa.insert(gate).values(
        task=ON_CARDS[report.task],
        champion=report.champion,
        challenger=report.challenger,
        round_id=round_id,
        promoted=report.promoted,
        report=report.to_json(),
        made_at=time.time(),
    )
    found = connection.execute(row.returning(gate.c.id)).scalar_one()
    return StoredGate(int(found), report)


def newest(
    connection: sa.Connection, task: Task, champion: str, challenger: str
) -> StoredGate | None:
    """The newest comparison of two models; None: there was none."""
    query = (
        sa.select(gate.c.id, gate.c.report)
        .where(
            gate.c.task == ON_CARDS[task],
            gate.c.champion == champion,
            gate.c.challenger == challenger,
        )
        .order_by(gate.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else StoredGate(row.id, GateReport.from_json(row.report))


def of_challenger(connection: sa.Connection, challenger: str) -> list[StoredGate]:
    """Every comparison of a model with a champion, oldest first."""
    query = (
        sa.select(gate.c.id, gate.c.report)
        .where(gate.c.challenger == challenger)
        .order_by(gate.c.id)
    )
    return [
        StoredGate(row.id, GateReport.from_json(row.report))
        for row in connection.execute(query)
    ]
