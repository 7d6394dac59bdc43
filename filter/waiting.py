"""What waits for each step, and the lock of what changes decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.engine.step import Step
from icf.engine.tables import TABLES

#: In a workspace's folder: held by what changes decisions.
LOCK = "filter.lock"


def count_waiting(
    connection: sa.Connection, steps: Sequence[Step[Any]]
) -> dict[str, int]:
    """Count the rows that wait for each of ``steps``."""
    waiting: dict[str, int] = {}
    for table in TABLES.values():
        query = sa.select(table.c.awaits, sa.func.count()).group_by(table.c.awaits)
        waiting.update({row[0]: row[1] for row in connection.execute(query)})
    return {step.name: waiting.get(step.name, 0) for step in steps}
