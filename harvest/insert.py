"""Inserts that pass over rows which are there already, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
) -> None:
    """Insert the rows whose key is not there yet.

    They are written in the order of their keys, so that two writers who meet wait for
    each other instead of blocking each other.
    """
    ordered = sorted(rows, key=lambda row: [row[name] for name in key])
    if ordered:
        statement = insert_into(connection, table)
        connection.execute(
            statement.on_conflict_do_nothing(index_elements=list(key)), ordered
        )
