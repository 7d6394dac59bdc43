"""Connections to PostgreSQL: their encoding, poolers, clocks, and who migrates."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.errors import WrongUse

#: Whatever PGCLIENTENCODING and the locale say.
CONNECT = {"client_encoding": "utf8"}

#: Of the lock that programs take which migrate: "icf" as a number.
_MIGRATES = 0x69_63_66

#: A revision in a schema which would be searched if its user might.
_HIDDEN = sa.text(
    "SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid "
    "WHERE relname = 'alembic_version' "
    "AND nspname = ANY (string_to_array(current_setting('search_path'), ', ')) "
    "AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')"
)


def check_encoding(connection: Any, _record: object) -> None:
    """Refuse a database that cannot store every name, as a connection is made.

    Raises:
        WrongUse: its encoding is not UTF-8.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in (None, "UTF8"):  # some poolers do not say it
        return
    name = connection.info.dbname
    connection.close()
    raise WrongUse(
        f"the database {name} has the encoding {encoding}, which cannot store every "
        "name; create one with ENCODING 'UTF8' TEMPLATE template0, and name it with "
        "catalogue.url"
    )


def prepare_nothing_pooled(connection: Any, _record: object) -> None:
    """Keep a pooler's servers from running what others prepared, as one is connected.

    PgBouncer and its like may give each transaction to another process of the server,
    where a name means nothing, or another client's statement.
    """
    (process,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if process != connection.info.backend_pid:  # a pooler gives a number of its own
        connection.prepare_threshold = None


def server_time(connection: sa.Connection) -> float:
    """Seconds since 1970, by the server's clock."""
    now = sa.func.extract("epoch", sa.func.clock_timestamp())
    return float(connection.execute(sa.select(now)).scalar_one())


def wait_in_line(connection: sa.Connection) -> None:
    """Wait for others that migrate; until the transaction ends, they wait for it."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATES)))


def hidden_schema(connection: sa.Connection) -> str | None:
    """The schema of a catalogue that this database user may not look into."""
    return connection.execute(_HIDDEN).scalar()
