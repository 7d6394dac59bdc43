"""The current results of each filter step, for pictures and faces.

A row is counted once: where it waits, at the step that dropped it, or as kept. After a
threshold changed, the counts follow; earlier decisions are only in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.rows import count_rows
from icf.codes import Code, FaceReason, ImageReason, Verdict
from icf.dataset.report.counts import Bar, count_by

_TABLES = {"image": schema.image, "face": schema.face}
_CODES: Mapping[str, type[Code]] = {"image": ImageReason, "face": FaceReason}

_VERDICTS = [each.value for each in Verdict]

#: The step of rows that were dropped without a decision in the ledger.
UNKNOWN = "before the ledger"


@dataclass(frozen=True)
class StepCount:
    """The number of rows that reached a step, and the results.

    Attributes:
        name: of the step.
        reached: number of rows that reached it.
        waiting: number of those that are not judged yet.
        passed: number of those that passed.
        dropped: number of those that were dropped by reason, most frequent first.
    """

    name: str
    reached: int
    waiting: int
    passed: int
    dropped: Sequence[Bar]

    @property
    def out(self) -> int:
        """The number of dropped rows."""
        return sum(bar.count for bar in self.dropped)


def read_steps(connection: sa.Connection, subject: str) -> list[StepCount]:
    """Count the results of all rows at each step, in the order of the steps.

    Steps are ordered by their first decision: a row must pass a step before the next
    one judges it.

    Args:
        connection: to the catalogue.
        subject: ``"image"`` or ``"face"``.
    """
    table = _TABLES[subject]
    left = count_rows(connection, table)
    waiting = count_by(connection, table.c.awaits, table.c.awaits.is_not(None))
    dropped = _dropped(connection, subject, table)
    counts = []
    for name in _ordered(connection, subject, [*dropped, *waiting]):
        bars = dropped.get(name, [])
        still = waiting.get(name, 0)
        passed = left - still - sum(bar.count for bar in bars)
        counts.append(StepCount(name, left, still, passed, bars))
        left = passed
    return counts


def _ordered(
    connection: sa.Connection, subject: str, named: Sequence[str]
) -> list[str]:
    decision = schema.decision.c
    first = (
        sa.select(decision.step)
        # What people said about boxes is no verdict of the filter.
        .where(decision.subject == subject, decision.verdict.in_(_VERDICTS))
        .group_by(decision.step)
        .order_by(sa.func.min(decision.id))
    )
    decided = list(connection.execute(first).scalars())
    known = [UNKNOWN, *decided] if UNKNOWN in named else decided
    return list(dict.fromkeys([*known, *named]))


def _dropped(
    connection: sa.Connection, subject: str, table: sa.Table
) -> dict[str, list[Bar]]:
    """Group dropped rows by the last step that dropped them, and by reason."""
    decision = schema.decision
    last = (
        sa.select(decision.c.step)
        .where(
            decision.c.subject == subject,
            decision.c.subject_id == table.c.id,
            decision.c.verdict == Verdict.DROPPED.value,
        )
        .order_by(decision.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    each = (
        sa.select(last.label("step"), table.c.reason)
        .where(table.c.verdict == Verdict.DROPPED.value)
        .subquery()
    )
    number = sa.func.count()
    query = (
        sa.select(each.c.step, each.c.reason, number)
        .group_by(each.c.step, each.c.reason)
        .order_by(number.desc(), each.c.reason)
    )
    meanings = {str(code): code.meaning for code in _CODES[subject]}
    found: dict[str, list[Bar]] = {}
    for step, reason, dropped in connection.execute(query):
        bar = Bar(reason, meanings.get(reason, ""), dropped)
        found.setdefault(step or UNKNOWN, []).append(bar)
    return found
