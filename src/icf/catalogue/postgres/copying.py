"""Many rows into a table of PostgreSQL, by COPY."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
import sqlalchemy as sa


def copy_rows(
    connection: sa.Connection, table: sa.Table, rows: Iterable[sa.Row[tuple[object]]]
) -> int:
    """Write rows of all columns of a table, in the order of its columns.

    It takes a third of the time of INSERT.

    Args:
        connection: a write transaction on PostgreSQL.
        table: where to.
        rows: what it gets; with values as SQLAlchemy reads them.

    Returns:
        How many rows there were.

    Raises:
        sqlalchemy.exc.DBAPIError: what the database says, as of every statement.
    """
    quoted = connection.dialect.identifier_preparer
    names = ", ".join(quoted.quote(each.name) for each in table.columns)
    statement = f"COPY {quoted.format_table(table)} ({names}) FROM STDIN"
    dialect = connection.dialect
    kinds = [each.type.dialect_impl(dialect) for each in table.columns]
    made = [each.bind_processor(dialect) for each in kinds]
    translated = [(at, make) for at, make in enumerate(made) if make is not None]
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    count = 0
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                values = list(row)
                for at, make in translated:
                    values[at] = make(values[at])
                copy.write_row(values)
                count += 1
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(
            statement, None, error, psycopg.Error, dialect=dialect
        ) from error
    return count
