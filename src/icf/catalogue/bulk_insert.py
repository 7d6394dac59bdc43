"""Bulk inserts on both databases: many rows, little work for each of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, Any]]
Insert = sqlite.Insert | postgresql.Insert


def insert_into(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return an ``INSERT`` that knows ``ON CONFLICT`` on this connection."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_new(
    connection: sa.Connection, table: sa.Table, key: Sequence[str], rows: Rows
) -> int:
    """Insert the rows whose key is not there yet; return how many.

    They are written in the order of their keys, so that two writers who meet wait for
    each other instead of blocking each other.
    """
    ordered = sorted(rows, key=itemgetter(*key))
    statement = insert_into(connection, table)
    return insert_all(
        connection, statement.on_conflict_do_nothing(index_elements=list(key)), ordered
    )


def insert_all(connection: sa.Connection, statement: Insert, rows: Rows) -> int:
    """Run an ``INSERT`` for many rows that all name the same columns.

    Returns how many rows were inserted or changed.

    The statement is compiled once, and the rows go to the driver as they are: values
    that the tables' types would have to translate first are not for this.
    """
    if not rows:
        return 0
    compiled = statement.compile(
        dialect=connection.dialect, column_keys=sorted(rows[0])
    )
    order = getattr(compiled, "positiontup", None)
    values: Any = list(map(itemgetter(*order), rows)) if order else rows
    return connection.exec_driver_sql(str(compiled), values).rowcount


def among(
    connection: sa.Connection, column: sa.Column[Any], values: Collection[Any]
) -> sa.ColumnElement[bool]:
    """Return "the column has one of these values", as one parameter however many."""
    if connection.dialect.name == "postgresql":
        array = sa.bindparam(None, list(values), type_=postgresql.ARRAY(column.type))
        return column == sa.any_(array)
    each = sa.func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(sa.select(each.c.value))
