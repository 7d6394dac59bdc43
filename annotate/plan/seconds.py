"""Seconds that people take, measured where there are enough answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.annotate.pairs.grid import TILES
from icf.catalogue.annotation.schema import box_answer, lease, person
from icf.catalogue.schema import answer

#: Answers that are enough to measure, and the newest of which so many are looked at.
ENOUGH, _NEWEST = 100, 20_000
#: Longer than this somebody did something else.
_PAUSE = 60.0

#: Seconds a pair, a grid of sixteen and a box, where nothing is measured: what people
#: accept, and boxes by four extreme clicks.
PAIR, GRID, BOX = 1.2, 4.0, 7.0


@dataclass(frozen=True)
class Seconds:
    """What one of each takes.

    Attributes:
        pair: seconds of an answer to a pair.
        grid: of a grid of sixteen.
        picture: of a picture to box; None: `BOX` for each of its faces.
        measured: the names of those that are measured in this workspace.
    """

    pair: float = PAIR
    grid: float = GRID
    picture: float | None = None
    measured: frozenset[str] = frozenset()


def read_seconds(connection: sa.Connection) -> Seconds:
    """Measure what people took, as long as there are enough answers; means."""
    by_task = _by_task(connection)
    pair = _mean(by_task.get("pairs", []) or _of_tools(connection))
    grid = _mean(by_task.get("grid", []))
    picture = _mean(_of_boxes(connection))
    found = {"pair": pair, "grid": grid, "picture": picture}
    return Seconds(
        PAIR if pair is None else pair,
        # A tile's answer has its part of the seconds.
        GRID if grid is None else grid * TILES,
        picture,
        frozenset(name for name, value in found.items() if value is not None),
    )


def _mean(seconds: list[float]) -> float | None:
    kept = [each for each in seconds if each <= _PAUSE]
    return float(np.mean(kept)) if len(kept) >= ENOUGH else None


def _newest(
    connection: sa.Connection, key: sa.ColumnElement[Any], many: int
) -> sa.ColumnElement[bool]:
    """Of rows: among the newest by id."""
    last = connection.execute(sa.select(sa.func.max(key))).scalar_one() or 0
    return key > last - many


def _by_task(connection: sa.Connection) -> dict[str, list[float]]:
    """Seconds of answers of the page, by the task that showed the question."""
    query = (
        sa.select(lease.c.task, answer.c.seconds)
        .join(person, person.c.name == answer.c.annotator)
        .join(
            lease,
            sa.and_(
                lease.c.source == "question",
                lease.c.subject_id == answer.c.question_id,
                lease.c.person_id == person.c.id,
            ),
        )
        .where(
            answer.c.seconds.is_not(None),
            _newest(connection, answer.c.id, _NEWEST),
            _newest(connection, lease.c.id, 4 * _NEWEST),
        )
    )
    found: dict[str, list[float]] = {}
    for task, seconds in connection.execute(query):
        found.setdefault(task, []).append(seconds)
    return found


def _of_tools(connection: sa.Connection) -> list[float]:
    """Seconds of answers of other tools, which show pairs."""
    query = sa.select(answer.c.seconds).where(
        answer.c.seconds.is_not(None),
        answer.c.client_id.is_(None),
        _newest(connection, answer.c.id, _NEWEST),
    )
    return list(connection.execute(query).scalars())


def _of_boxes(connection: sa.Connection) -> list[float]:
    query = sa.select(box_answer.c.seconds).where(
        box_answer.c.seconds.is_not(None),
        _newest(connection, box_answer.c.id, _NEWEST),
    )
    return list(connection.execute(query).scalars())
