"""Append decisions, and read the decisions on an image, face or character."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.schema import decision, round_, run


@dataclass(frozen=True)
class Decision:
    """One line of the ledger.

    Attributes:
        subject: ``"image"``, ``"face"``, ``"question"`` or ``"character"``.
        subject_id: its id in the catalogue.
        step: the name of the step that decided.
        verdict: what it decided, a code of `icf.codes`.
        reason: why, a code of `icf.codes`.
        value: what was measured, if anything was.
        threshold: what it was held against, if anything was.
        model: the SHA-256 of the model that measured it, if one did.
        message: an error message, or a remark.
    """

    subject: str
    subject_id: int
    step: str
    verdict: str
    reason: str
    value: float | None = None
    threshold: float | None = None
    model: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class DatedDecision:
    """A `Decision` as stored in the ledger.

    Attributes:
        decision: what was decided.
        run_id: the run that it was charged to.
        decided_at: UTC epoch seconds.
        round: the number of the round that the run was a part of, if any.
    """

    decision: Decision
    run_id: int
    decided_at: float
    round: int | None = None


def append(
    connection: sa.Connection, run_id: int, decisions: Iterable[Decision]
) -> None:
    """Write ``decisions`` to the ledger, inside the caller's transaction."""
    now = time.time()
    rows = [{**vars(each), "run_id": run_id, "decided_at": now} for each in decisions]
    if rows:
        connection.execute(sa.insert(decision), rows)


def history(
    connection: sa.Connection, subject: str, subject_id: int
) -> Sequence[DatedDecision]:
    """Every decision on one subject, oldest first."""
    rows = connection.execute(
        sa.select(decision, round_.c.number.label("round"))
        .outerjoin(run, run.c.id == decision.c.run_id)
        .outerjoin(round_, round_.c.id == run.c.round_id)
        .where(decision.c.subject == subject, decision.c.subject_id == subject_id)
        .order_by(decision.c.id)
    )
    return [_dated(row) for row in rows.mappings()]


def _dated(row: sa.RowMapping) -> DatedDecision:
    fields = {name: row[name] for name in Decision.__dataclass_fields__}
    return DatedDecision(
        Decision(**fields), row["run_id"], row["decided_at"], row["round"]
    )


def begin_run(
    connection: sa.Connection, command: str, settings: str, version: str
) -> int:
    """Open a run, the occasion on which decisions are taken; return its id.

    It belongs to the round that is open, if one is.
    """
    is_open = sa.select(sa.func.max(round_.c.id)).where(round_.c.finished_at.is_(None))
    row = sa.insert(run).values(
        command=command,
        settings=settings,
        version=version,
        round_id=is_open.scalar_subquery(),
        started_at=time.time(),
    )
    return int(connection.execute(row.returning(run.c.id)).scalar_one())


def end_run(connection: sa.Connection, run_id: int) -> None:
    """Note that a run came to its end."""
    connection.execute(
        sa.update(run).where(run.c.id == run_id).values(finished_at=time.time())
    )
