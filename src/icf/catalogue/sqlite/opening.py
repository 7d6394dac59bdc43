"""How connections to a SQLite file begin, and how a file is copied."""

from __future__ import annotations

import sqlite3
import tempfile

import sqlalchemy as sa

from icf.errors import BrokenMachine

#: How long a writer waits for another writer of the same SQLite file, in milliseconds.
BUSY_TIMEOUT_MS = 60_000


def configure(connection: sa.pool.ConnectionPoolEntry, _record: object) -> None:
    """Prepare a new connection that may write."""
    # The driver would begin transactions by itself, and late; `begin` does it.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def begin(connection: sa.Connection) -> None:
    """Begin a transaction; one that writes takes the write lock at once."""
    writes = connection.get_execution_options().get("icf_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def copy_database(original: sa.Connection, copy: sqlite3.Connection) -> None:
    """Copy a database; what others write meanwhile is not in the copy.

    Raises:
        BrokenMachine: there is no room for the copy.
    """
    driver = original.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        driver.backup(copy)
    except sqlite3.Error as error:
        raise BrokenMachine(
            f"cannot copy the catalogue to a temporary file: {error}; free some space "
            f"in {tempfile.gettempdir()}, or name another folder with SQLITE_TMPDIR"
        ) from error
