"""A SQLite file that this user may only read: a colleague's, or a snapshot of a disk.

SQLite keeps files of its own beside a database in WAL mode, also for who only reads it.
Where it cannot make them and no writer has made them, it reads the file as one that
nobody changes; then it is for us to notice that somebody did.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from icf.catalogue.sqlite.opening import BUSY_TIMEOUT_MS
from icf.errors import BrokenMachine


def may_only_read(path: Path) -> bool:
    """Whether a file is there, and this user may not write to it or beside it."""
    return os.access(path, os.R_OK) and not (may_write(path) and may_write(path.parent))


def may_write(path: Path) -> bool:
    """Whether this user may write to a file, or make files in a folder."""
    return os.access(path, os.W_OK)


class ReadOnlyFile:
    """A catalogue's file that this user may only read.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._state()

    def connect(self) -> sqlite3.Connection:
        """Open it, and write nothing beside it."""
        # As it was when reading began: a change since is noticed at its end, and then
        # all connections are dropped before the next one.
        _, _, has_log = self._seen
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        return sqlite3.connect(
            address if has_log else f"{address}&immutable=1",
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )

    @contextmanager
    def unchanged(self, engine: sa.Engine) -> Iterator[None]:
        """Read with an engine what is in the file now, in one state.

        Raises:
            BrokenMachine: somebody changed the file meanwhile, without SQLite's locks
                between them and this program.
        """
        if self._state() != self._seen:
            engine.dispose()
            self._seen = self._state()
        before = self._seen
        yield
        # Others write to the log first. Where that is read too, locks hold.
        if not before[2] and self._state()[:2] != before[:2]:
            raise BrokenMachine(
                f"{self._path} was written to while it was read, and this user may "
                "only read it: run the same command again"
            )

    def _state(self) -> tuple[int, int, bool]:
        """When it was changed, its bytes, and whether SQLite's log is beside it."""
        found = self._path.stat()
        has_log = self._path.with_name(f"{self._path.name}-wal").exists()
        return found.st_mtime_ns, found.st_size, has_log
