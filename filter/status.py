"""Count what became of the images and faces of a catalogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.codes import Verdict


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


def count_images(connection: sa.Connection) -> Counts:
    """Count images by verdict and reason."""
    return _count(connection, image)


def count_faces(connection: sa.Connection) -> Counts:
    """Count faces by verdict and reason."""
    return _count(connection, face)


def count_stranded(connection: sa.Connection, known: Collection[str]) -> dict[str, int]:
    """Count the images and faces that wait for a step which is none of ``known``.

    They wait for a step from outside whose package is not installed any more.
    """
    stranded: dict[str, int] = {}
    for table in (image, face):
        waiting = table.c.awaits.is_not(None) & table.c.awaits.not_in(known)
        query = sa.select(table.c.awaits, sa.func.count()).where(waiting)
        for step, number in connection.execute(query.group_by(table.c.awaits)):
            stranded[step] = number
    return stranded


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
