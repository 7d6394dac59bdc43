"""Open the catalogue: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from icf.catalogue.postgres.one_at_a_time import give_up, wait_for
from icf.catalogue.postgres.opening import (
    CONNECT,
    check_encoding,
    hidden_schema,
    prepare_nothing_pooled,
    server_time,
    wait_in_line,
)
from icf.catalogue.postgres.refusals import MAY_NOT, refusal
from icf.catalogue.sqlite.opening import begin, configure, copy_database
from icf.catalogue.sqlite.read_only import ReadOnlyFile, may_only_read
from icf.errors import BrokenMachine, WrongUse
from icf.redact import redact
from icf.stores.turn import Turn

if TYPE_CHECKING:
    import alembic.config

#: The newest of the migrations, which this program writes.
REVISION = "0021"

_DIALECTS = ("sqlite", "postgresql")


class Catalogue:
    """A connection pool on one catalogue.

    Args:
        url: an SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://...``. For
            a file whose path may have any character, one of `sqlite_url`.

    Raises:
        WrongUse: the URL is of another kind of database. Whatever connects raises it
            too, where a PostgreSQL database has another encoding than UTF-8.
    """

    def __init__(self, url: str | sa.URL) -> None:
        parsed = _with_driver(url)
        self.url = parsed.render_as_string(hide_password=False)
        # SQLite lets writers look again now and then whether it is their turn, up to a
        # tenth of a second apart; threads of one process wake each other.
        self._turn: Turn | None = None
        self._read_only: ReadOnlyFile | None = None
        if parsed.get_backend_name() == "sqlite":
            self._turn = Turn()
            self.engine = self._sqlite_engine(parsed)
            sa.event.listen(self.engine, "begin", begin)
        else:
            self.engine = sa.create_engine(parsed, connect_args=CONNECT)
            sa.event.listen(self.engine, "connect", check_encoding)
            sa.event.listen(self.engine, "connect", prepare_nothing_pooled)
        # Who forgets to close it leaves no open connection behind.
        weakref.finalize(self, self.engine.dispose).atexit = False

    def _sqlite_engine(self, url: sa.URL) -> sa.Engine:
        path = Path(url.database or "")
        if may_only_read(path):
            self._read_only = ReadOnlyFile(path)
            return sa.create_engine(url, creator=self._read_only.connect)
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", configure)
        return engine

    @property
    def dialect(self) -> str:
        """``"sqlite"`` or ``"postgresql"``."""
        return self.engine.dialect.name

    @property
    def shown(self) -> str:
        """Its URL without a password."""
        return sa.make_url(self.url).render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the catalogue and writes nothing.

        Raises:
            BrokenMachine: the database is damaged, or does not answer; or somebody
                wrote to a file that this user may only read.
        """
        only = self._read_only
        one_state = only.unchanged(self.engine) if only is not None else nullcontext()
        with _clear_errors(self.url), one_state, self.engine.connect() as connection:
            if self.dialect == "postgresql":
                # Its default shows each statement what was written until then.
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: all of it is on disk when the block ends, or none of it.

        On SQLite the write lock is taken at once, so that two writers wait for each
        other in line and neither fails half way.

        Raises:
            BrokenMachine: this user may only read the catalogue, or the database is
                damaged, or does not answer.
        """
        if self._read_only is not None:
            raise BrokenMachine(
                f"this user may only read the catalogue {self.shown}: nothing was "
                "changed. Check that you may write to the workspace and its folder"
            )
        turn = self._turn.taken() if self._turn is not None else nullcontext()
        with _clear_errors(self.url), turn, self.engine.connect() as connection:
            # After `read` its connection would write even where the database's own
            # default is not to.
            connection.execution_options(icf_write=True, postgresql_readonly=None)
            with connection.begin():
                yield connection

    @contextmanager
    def one_at_a_time(self, name: str, program: str, where: str) -> Iterator[None]:
        """Wait, and say so, until no other machine has a lock; then hold it.

        It ends with the connection, and so with the process. A SQLite file is on one
        machine, where `icf.stores.lock` is enough: there it does nothing.

        Args:
            name: of the lock.
            program: what this program is, for those that wait for it.
            where: its process and machine.
        """
        with ExitStack() as stack:
            if self.dialect == "postgresql":
                with _clear_errors(self.url):
                    connection = stack.enter_context(self.engine.connect())
                    stack.callback(give_up, connection)
                    wait_for(connection, name, program, where)
            yield

    def clock(self) -> Callable[[], float]:
        """A clock for all machines with this catalogue, in seconds since 1970.

        Raises:
            BrokenMachine: the database does not answer.
        """
        if self.dialect == "sqlite":
            return time.time
        with self.read() as connection:
            ahead = server_time(connection) - time.time()
        return lambda: time.time() + ahead

    def stand_by(self) -> None:
        """Let other threads write that wait for it; between parts of a long work."""
        if self._turn is not None:
            self._turn.stand_by()

    @contextmanager
    def scratch(self) -> Iterator[sa.Connection]:
        """A transaction to try changes in: nobody ever sees what it writes.

        On SQLite it is of a private copy in a temporary file without a name, so others
        write to the catalogue meanwhile. On PostgreSQL it is rolled back; the rows that
        it changed are locked until then.

        Raises:
            BrokenMachine: there is no room for the copy.
        """
        if self.dialect == "postgresql":
            with self.write() as connection:
                yield connection
                connection.rollback()
            return
        with _clear_errors(self.url), closing(sqlite3.connect("")) as copy:
            with self.read() as original:
                copy_database(original, copy)
            engine = sa.create_engine(
                "sqlite://", creator=lambda: copy, poolclass=sa.StaticPool
            )
            with engine.connect() as connection:
                yield connection

    def upgrade(self) -> None:
        """Create the tables, or bring them to this program's revision.

        All of it is one transaction, and it holds a lock from its start: of two
        programs that start at once, the second finds nothing to do.

        Raises:
            WrongUse: something else than this version or an earlier one wrote it.
            BrokenMachine: the database is damaged, or does not answer.
        """
        with self.read() as connection:
            if self._is_current(connection):
                return
        with self.write() as connection:
            if self.dialect == "postgresql":
                wait_in_line(connection)
            # Another program may have done it until now.
            if not self._is_current(connection):
                migrate(connection)

    def revisions(self) -> tuple[str | None, str]:
        """The revision found in the database and the one this program writes."""
        with self.read() as connection:
            return self._revision(connection), REVISION

    def _is_current(self, connection: sa.Connection) -> bool:
        found = self._revision(connection)
        if found is not None and not is_known(found):
            raise WrongUse(f"the catalogue {self.shown} {written_by_another(found)}")
        return found == REVISION

    def _revision(self, connection: sa.Connection) -> str | None:
        if sa.inspect(connection).has_table(_VERSION.name):
            return connection.execute(sa.select(_VERSION.c.version_num)).scalar()
        hidden = hidden_schema(connection) if self.dialect == "postgresql" else None
        if hidden is not None:
            raise BrokenMachine(
                f"the catalogue {self.shown}: permission denied for schema {hidden}\n"
                f"{MAY_NOT}"
            )
        return None

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def is_known(revision: str) -> bool:
    """Whether this version of icf, or an earlier one, writes a revision."""
    return revision.isdecimal() and int(revision) <= int(REVISION)


def written_by_another(revision: str) -> str:
    """Say that a revision is not known, and what to do."""
    return (
        f"is at revision {revision}, and this program writes {REVISION}: a newer "
        "version of icf wrote it. Use that version or a later one; nothing was changed"
    )


#: Alembic's own table.
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


def sqlite_url(path: Path) -> sa.URL:
    """The URL of a SQLite file; written as text, ``?`` in a path would end it."""
    return sa.URL.create("sqlite", database=str(path))


def url_from(root: Path, text: str) -> sa.URL:
    """The URL that was written; the relative path of a SQLite file is from ``root``.

    Raises:
        WrongUse: it is no URL, or of another kind of database.
    """
    url = _with_driver(text)
    path = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or path.startswith((":memory:", "file:")):
        return url
    return url.set(database=str(root / path))


def _with_driver(url: str | sa.URL) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise WrongUse(
            f"catalogue.url {redact(str(url))!r} is not a database URL: {error}"
        ) from error
    name = parsed.get_backend_name()
    if name not in _DIALECTS:
        raise WrongUse(
            f"catalogue.url asks for {name!r}; icf keeps its catalogue in SQLite "
            "(sqlite:///FILE) or PostgreSQL (postgresql://USER@HOST/NAME)"
        )
    if name == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def migrate(connection: sa.Connection) -> None:
    """Run every migration that the database has not seen."""
    # Only here: Alembic takes longer to import than most commands take to run.
    import alembic.command

    config = alembic_config()
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def alembic_config() -> alembic.config.Config:
    """Return where Alembic finds the migrations."""
    import alembic.config

    config = alembic.config.Config()
    folder = Path(__file__).parent / "migrations"
    # A percent sign in the path would be read as interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("recursive_version_locations", "true")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return config


#: What SQLite says of a file in which bytes were overwritten or are missing.
_DAMAGE = ("malformed", "not a database", "unsupported file format", "decode to UTF-8")


class DamagedCatalogue(BrokenMachine):
    """The file of the catalogue was overwritten in part, or cut short."""


@contextmanager
def _clear_errors(url: str) -> Iterator[None]:
    """Say which database failed, and how, without a traceback of the driver."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        shown = sa.make_url(url).render_as_string(hide_password=True)
        refused = refusal(shown, error)
        if refused is not None:
            raise refused from error
        # SQLite reports a damaged file as the bare base class.
        if not isinstance(error, sa.exc.OperationalError) and (
            type(error) is not sa.exc.DatabaseError
        ):
            raise
        reason = str(error.orig).strip() if error.orig else str(error)
        if any(each in reason for each in _DAMAGE):
            raise damaged(shown, reason) from error
        raise BrokenMachine(
            f"the catalogue {shown} does not answer: {reason}\n{_remedy(reason, url)}"
        ) from error


def damaged(shown: str, reason: str) -> DamagedCatalogue:
    """The error for a catalogue that was damaged, with what to do.

    Args:
        shown: its URL.
        reason: what the database says.
    """
    return DamagedCatalogue(
        f"the catalogue {shown} is damaged: {reason}\n"
        "Copy the workspace before anything else. Where only indexes are damaged, `icf "
        "doctor --repair` makes them again; otherwise put a backup of the file in its "
        "place, without its -wal and -shm."
    )


#: What PostgreSQL and its driver say of a connection that was open.
_ENDED = ("terminating connection", "closed the connection", "connection is lost")
#: Bytes without which a disk counts as full: SQLite's index of what was written last
#: grows by 32 KB at a time.
_LEAST_FREE = 1 << 20


def _remedy(reason: str, url: str) -> str:
    if "locked" in reason:
        return "Another icf command is writing; wait for it, or stop it, and try again."
    folder = Path(sa.make_url(url).database or "").parent
    if "unable to open" in reason and not folder.is_dir():
        return (
            f"There is no folder {folder}: is catalogue.url right (`icf config show`)?"
        )
    if "readonly" in reason or "unable to open" in reason:
        return "Check that this user may write to the workspace and its folder."
    # SQLite takes it for a failure that a full disk has no room for a new file.
    if "full" in reason or ("disk I/O" in reason and _is_full(url)):
        return "Free some space on that disk; nothing that was acknowledged is lost."
    if "disk" in reason:
        return (
            "The disk failed: see the system's log, and copy the workspace elsewhere."
        )
    if "no such" in reason:
        return (
            "It has lost a part, or is no catalogue of icf: put a backup in its place, "
            "or name another with catalogue.url."
        )
    if any(each in reason for each in _ENDED):
        return (
            "The server ended the connection, as it does when it is restarted: run the "
            "same command again; nothing that was acknowledged is lost."
        )
    return "Check catalogue.url with `icf config show`, and that the server is running."


def _is_full(url: str) -> bool:
    """Whether the disk of a catalogue in a file has no room for what SQLite adds."""
    folder = Path(sa.make_url(url).database or "").parent
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE
    except OSError:
        return False
