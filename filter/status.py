"""Count the images and faces of a catalogue by their state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import decision, face, image
from icf.codes import Verdict
from icf.engine.step import Step, Subject
from icf.engine.tables import TABLES


@dataclass(frozen=True)
class Counts:
    """Every row is in exactly one of ``pending``, ``kept`` and ``dropped``."""

    pending: int = 0
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All rows."""
        return self.pending + self.kept + sum(self.dropped.values())


@dataclass(frozen=True)
class StepCounts:
    """The rows that reached a step, by what became of them.

    Attributes:
        step: its name.
        subject: what it judges.
        passed: how many went on.
        waiting: how many wait for it.
        dropped: how many it dropped, by reason, the commonest first.
    """

    step: str
    subject: Subject
    passed: int
    waiting: int
    dropped: dict[str, int]

    @property
    def reached(self) -> int:
        """All that reached it."""
        return self.passed + self.waiting + sum(self.dropped.values())


def count_steps(
    connection: sa.Connection, steps: Sequence[Step[Any]]
) -> list[StepCounts]:
    """Count what became of images and faces at each step, in the order of the chain.

    Rows dropped by something else (people who say that it is no face, a takedown, a
    step that is not installed any more) come after the chain, by the name in the
    ledger, and count as passed before.
    """
    counts: list[StepCounts] = []
    for subject, table in TABLES.items():
        own = [step.name for step in steps if step.subject == subject]
        waiting = _waiting(connection, table)
        dropped = _dropped(connection, subject, table)
        others = [name for name in dropped if name not in own]
        passed = waiting[None]
        backwards = []
        for name in reversed([*own, *others]):
            made = StepCounts(
                name, subject, passed, waiting[name], dropped.get(name, {})
            )
            backwards.append(made)
            passed = made.reached
        counts += reversed(backwards)
    return counts


def count_images(connection: sa.Connection) -> Counts:
    """Count images by verdict and reason."""
    return _count(connection, image)


def count_faces(connection: sa.Connection) -> Counts:
    """Count faces by verdict and reason."""
    return _count(connection, face)


def count_not_installed(
    connection: sa.Connection, known: Collection[str]
) -> dict[str, int]:
    """Count the images and faces that wait for a step which is none of ``known``.

    They wait for a plug-in step whose package is not installed any more.
    """
    found: dict[str, int] = {}
    for table in TABLES.values():
        waiting = table.c.awaits.is_not(None) & table.c.awaits.not_in(known)
        query = sa.select(table.c.awaits, sa.func.count()).where(waiting)
        for step, number in connection.execute(query.group_by(table.c.awaits)):
            found[step] = number
    return found


def _count(connection: sa.Connection, table: sa.Table) -> Counts:
    verdict, reason = table.c.verdict, table.c.reason
    query = sa.select(verdict, reason, sa.func.count()).group_by(verdict, reason)
    totals = {Verdict.PENDING.value: 0, Verdict.KEPT.value: 0}
    dropped: dict[str, int] = {}
    for judged, why, number in connection.execute(query):
        if judged == Verdict.DROPPED.value:
            dropped[why] = number
        else:
            totals[judged] += number
    by_size = dict(sorted(dropped.items(), key=lambda each: (-each[1], each[0])))
    return Counts(totals[Verdict.PENDING.value], totals[Verdict.KEPT.value], by_size)


def _waiting(connection: sa.Connection, table: sa.Table) -> Counter[str | None]:
    """How many rows wait for each step; under None, how many are kept."""
    query = (
        sa.select(table.c.awaits, sa.func.count())
        .where(table.c.verdict != Verdict.DROPPED.value)
        .group_by(table.c.awaits)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def _dropped(
    connection: sa.Connection, subject: Subject, table: sa.Table
) -> dict[str, dict[str, int]]:
    """How many rows are dropped, by the step that last dropped them and by reason."""
    last = (
        sa.select(sa.func.max(decision.c.id))
        .where(
            decision.c.subject == subject,
            decision.c.verdict == Verdict.DROPPED.value,
        )
        .group_by(decision.c.subject_id)
    )
    number = sa.func.count()
    query = (
        sa.select(decision.c.step, table.c.reason, number)
        .join(table, table.c.id == decision.c.subject_id)
        .where(decision.c.id.in_(last), table.c.verdict == Verdict.DROPPED.value)
        .group_by(decision.c.step, table.c.reason)
        .order_by(number.desc(), table.c.reason)
    )
    found: dict[str, dict[str, int]] = {}
    for step, reason, count in connection.execute(query):
        found.setdefault(step, {})[reason] = count
    return found
