"""The one writer of ``mention`` and ``candidate``: a picture's characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import insert_all, insert_into


def file_under(
    connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert rows of ``mention`` or ``candidate``.

    A row that is there already stays; it becomes a lead where the new one is a lead.

    Args:
        connection: a transaction that writes.
        table: ``mention`` or ``candidate``.
        rows: with all columns of the table.
    """
    statement = insert_into(connection, table)
    lead = sa.or_(table.c.is_lead, statement.excluded.is_lead)
    keys = [column.name for column in table.primary_key]
    insert_all(
        connection,
        statement.on_conflict_do_update(index_elements=keys, set_={"is_lead": lead}),
        sorted(rows, key=lambda row: [row[key] for key in keys]),
    )
