"""Count rows; read or lock them by id, however many ids there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among

#: Ids in one query. SQLite takes 32,766 variables, and 999 before version 3.32.
CHUNK = 900

#: The parameter with the ids.
_IDS = "given_ids"


def count_rows(
    connection: sa.Connection,
    rows: sa.FromClause | sa.Select[Any] | sa.CompoundSelect[Any],
    *where: sa.ColumnExpressionArgument[bool],
) -> int:
    """Count the rows of a table that fulfil all conditions, or those of a query."""
    if not isinstance(rows, sa.FromClause):
        rows = rows.order_by(None).subquery()
    query = sa.select(sa.func.count()).select_from(rows).where(*where)
    return int(connection.execute(query).scalar_one())


def has_rows(connection: sa.Connection, query: sa.Select[Any]) -> bool:
    """Whether a query finds anything."""
    return connection.execute(query.limit(1)).first() is not None


def lock_table(connection: sa.Connection, table: sa.Table) -> None:
    """Let nobody else write to a table until the caller's write transaction ends.

    On SQLite the transaction alone is enough.
    """
    if connection.dialect.name == "postgresql":
        lock = f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"
        connection.execute(sa.text(lock))


def by_ids(
    connection: sa.Connection,
    query: sa.Select[Any],
    column: sa.ColumnElement[Any],
    ids: Sequence[int] | Sequence[str],
) -> Iterator[sa.Row[Any]]:
    """Yield the rows of ``query`` whose ``column`` is one of ``ids`` (or hashes).

    Those of sorted ids come in their order: without one, PostgreSQL gives rows that
    were changed after the others.

    ``query`` must mean the same in parts: no LIMIT, no aggregate over several ids. One
    with DISTINCT must select ``column``.
    """
    query = query.order_by(column)
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        yield from connection.execute(query.where(column.in_(part)))


def with_ids(query: sa.Select[Any], column: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """``query`` for rows whose ``column`` is one of some ids, to be made only once.

    It takes SQLAlchemy longer to make a query than SQLite to answer it; `by_given_ids`
    runs it.
    """
    some = query.where(column.in_(sa.bindparam(_IDS, expanding=True)))
    return some.order_by(column)


def by_given_ids(
    connection: sa.Connection,
    made: sa.Select[Any],
    ids: Sequence[int],
    **values: Any,
) -> Iterator[sa.Row[Any]]:
    """Yield what `by_ids` does, of a query that `with_ids` made.

    Args:
        connection: to the catalogue.
        made: the query.
        ids: of the rows.
        **values: of its other parameters.
    """
    for start in range(0, len(ids), CHUNK):
        part = list(ids[start : start + CHUNK])
        yield from connection.execute(made, {_IDS: part, **values})


def lock(
    connection: sa.Connection, table: sa.Table, chosen: sa.ColumnElement[bool]
) -> list[int]:
    """Lock rows until the transaction ends; return their ids, in order.

    Whoever changes several rows of a table that others change too locks them first, in
    the order of their ids: then two of them wait for each other in line, and neither
    has what the other needs. Whoever changes characters, faces and questions together
    begins with `lock_table` of the questions, as labels do that follow. On SQLite a
    transaction that writes has locked everything.
    """
    query = sa.select(table.c.id).where(chosen).order_by(table.c.id)
    # Others may refer to these rows meanwhile.
    query = query.with_for_update(key_share=True)
    return list(connection.execute(query).scalars())


def locked(
    connection: sa.Connection, table: sa.Table, chosen: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Lock rows as `lock` does, and return the condition that they fulfil.

    On SQLite it is the one that was given, and nothing is read.
    """
    if connection.dialect.name == "sqlite":
        return chosen
    return among(connection, table.c.id, lock(connection, table, chosen))
