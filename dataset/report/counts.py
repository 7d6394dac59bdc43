"""Counts of rows by value, which most parts of the report consist of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.codes import Code


@dataclass(frozen=True)
class Bar:
    """One line of a bar list: a name, its meaning and a count."""

    name: str
    meaning: str
    count: int


def count_by(
    connection: sa.Connection,
    column: sa.ColumnElement[Any],
    *where: sa.ColumnElement[bool],
) -> dict[str, int]:
    """Count rows for each value of a column."""
    query = sa.select(column, sa.func.count()).where(*where).group_by(column)
    return {value: number for value, number in connection.execute(query)}


def bars(counts: Mapping[str, int], codes: Iterable[Code] = ()) -> list[Bar]:
    """Make a bar of each count, with the meaning of its code, most first.

    >>> bars({"a": 1, "b": 2})
    [Bar(name='b', meaning='', count=2), Bar(name='a', meaning='', count=1)]
    """
    meanings = {str(each): each.meaning for each in codes}
    made = [Bar(name, meanings.get(name, ""), count) for name, count in counts.items()]
    return sorted(made, key=lambda bar: (-bar.count, bar.name))


def bin_of(
    connection: sa.Connection, value: sa.ColumnElement[Any], step: float
) -> sa.ColumnElement[int]:
    """Number the bin of a value, in multiples of ``step``, rounded down."""
    # A cast truncates on SQLite and rounds on PostgreSQL; only the latter has floor().
    steps = value / step
    if connection.dialect.name != "sqlite":
        steps = sa.func.floor(steps)
    return sa.cast(steps, sa.Integer)
