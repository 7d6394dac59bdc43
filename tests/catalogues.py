"""Empty catalogues at little cost: copies of one that was migrated, emptied tables.

`tests/core/test_catalogue.py` holds that they are what the migrations make.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.catalogue import entry_steps
from icf.catalogue.catalogue import REVISION, Catalogue
from icf.catalogue.schema import metadata
from icf.filter.entry_steps import ENTRY_STEPS

#: As the program has it, whatever stands in its place during the tests.
MIGRATE = Catalogue.upgrade
OPEN = Catalogue.__init__

#: Bytes of a table from which on TRUNCATE gives its room back.
_ROOM = 262_144


class Copies:
    """Stands in for `Catalogue.upgrade`: a new SQLite file is a copy of one.

    Args:
        file: where to migrate the one that is copied.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        first = Catalogue(f"sqlite:///{file}")
        MIGRATE(first)
        first.close()

    def upgrade(self, catalogue: Catalogue) -> None:
        """Copy where nothing is yet; migrate everything else."""
        # Whoever looked into it has left an empty file, and a connection.
        catalogue.close()
        path = Path(catalogue.engine.url.database or "")
        if catalogue.dialect == "sqlite" and _is_new(path):
            shutil.copyfile(self._file, path)
        else:
            MIGRATE(catalogue)


def _is_new(path: Path) -> bool:
    """Whether a SQLite file is not there or has no tables, and nobody has it open."""
    if not path.exists():
        return path.parent.is_dir()
    if path.with_name(f"{path.name}-wal").exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return found is None


class SharedStatements(dict[tuple[Any, ...], Any]):
    """Compiled statements of all catalogues of a process.

    Each has an engine of its own, which would compile everything again. The first part
    of a key is the dialect, another object for each engine.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


def opened(shared: SharedStatements) -> Callable[[Catalogue, str], None]:
    """Stands in for `Catalogue.__init__`."""

    def open_one(self: Catalogue, url: str) -> None:
        OPEN(self, url)
        self.engine.update_execution_options(compiled_cache=shared)

    return open_one


def empty_postgres(url: str) -> Catalogue:
    """The database at this program's revision, with no more rows than a new one."""
    catalogue = Catalogue(url)
    with catalogue.engine.begin() as connection:
        if _is_whole(connection):
            _empty(connection)
            entry_steps.declare(connection, ENTRY_STEPS)
            return catalogue
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    MIGRATE(catalogue)
    return catalogue


def _empty(connection: sa.Connection) -> None:
    """Remove all rows, and begin the numbers again at 1.

    To empty all tables by TRUNCATE takes ten times as long where most have no rows; but
    deleted rows keep their room.
    """
    sizes = "SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
    ours = " AND relnamespace = 'public'::regnamespace"
    if connection.execute(sa.text(sizes + ours)).scalar_one() > _ROOM:
        names = ", ".join(f'"{name}"' for name in metadata.tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        return
    tables = metadata.sorted_tables[::-1]
    has_rows = (
        f"SELECT '{each.name}' WHERE EXISTS (SELECT 1 FROM \"{each.name}\")"
        for each in tables
    )
    found = set(connection.execute(sa.text(" UNION ALL ".join(has_rows))).scalars())
    for each in tables:
        if each.name in found:
            connection.execute(sa.delete(each))
    again = (
        "SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) "
        "FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
    )
    connection.execute(sa.text(again))


def _is_whole(connection: sa.Connection) -> bool:
    """Whether the last test left the tables as the migrations make them."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    found = set(connection.execute(sa.text(query)).scalars())
    if found != {*metadata.tables, "alembic_version"}:
        return False
    revision = sa.text("SELECT version_num FROM alembic_version")
    return list(connection.execute(revision).scalars()) == [REVISION]


def few_variables(catalogue: Catalogue, most: int = 1000) -> None:
    """Let SQLite take few values in one statement, so that a test needs few rows.

    Before Python 3.11 the limit cannot be set, and such a test shows nothing.
    """
    if not hasattr(sqlite3.Connection, "setlimit"):
        return
    sa.event.listen(
        catalogue.engine,
        "connect",
        lambda driver, _: driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most),
    )
    catalogue.engine.dispose()


def wait_until_waited_for(connection: sa.Connection, other: Future[Any]) -> None:
    """Return when another waits for this transaction, or has ended.

    On SQLite at once: there a writer is alone.
    """
    if connection.dialect.name != "postgresql":
        return
    query = sa.text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted "
        "AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    while not other.done() and not connection.execute(query).scalar_one():
        time.sleep(0.01)
