"""Let one program at a time do something with a catalogue, on whatever machine."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import sqlalchemy as sa

_log = logging.getLogger(__name__)

#: Of these locks: "icf" as a number; the name of each is the other half.
_LOCKS = 0x69_63_66

#: Characters that PostgreSQL keeps of what a connection calls itself.
_MOST_NAME = 63

#: Seconds between two looks at whether the lock is free.
_LOOK = 0.5

#: For this transaction alone: it may last. Looking after it twice a minute keeps
#: routers from forgetting the connection, and ends it soon after a machine is gone.
_SETTINGS = {
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",  # from PostgreSQL 17
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

_SET = sa.text(
    "SELECT set_config(name, :value, true) FROM pg_settings WHERE name = :name"
)
#: Two catalogues may be in two schemas of one database.
_KEY = sa.text("SELECT hashtext(current_schema() || ' ' || :name)")
#: Others are told the name alone, unless they are the same database user.
_HOLDER = sa.text(
    "SELECT application_name, "
    """to_char(xact_start AT TIME ZONE 'UTC', '" since "YYYY-MM-DD HH24:MI" UTC"') """
    "FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
    "AND classid = :locks AND objid = :key "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def wait_for(connection: sa.Connection, name: str, program: str, where: str) -> None:
    """Wait, and say so, until no other program has a lock; then have it.

    Until the transaction of this connection ends, however it ends. It keeps no row from
    being vacuumed.

    Args:
        connection: one that nothing else uses.
        name: of the lock.
        program: its command, for those that wait.
        where: the process and its machine.
    """
    for setting, value in _SETTINGS.items():
        connection.execute(_SET, {"name": setting, "value": value})
    short = program.encode("ascii", "replace").decode()[: _MOST_NAME - len(where) - 1]
    shown = {"name": "application_name", "value": f"{short} {where}"}
    connection.execute(_SET, shown)
    key = connection.execute(_KEY, {"name": name}).scalar_one()
    # With its numbers apart, the server would keep what the statement saw.
    try_it = sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCKS}, {key})")
    if connection.scalar(try_it):
        return
    wanted = {"locks": _LOCKS, "key": key & 0xFFFFFFFF}
    holder, since = connection.execute(_HOLDER, wanted).first() or ("another", "")
    _log.warning(
        "%s is at work on this catalogue%s; waiting until it ends", holder, since or ""
    )
    while not connection.scalar(try_it):
        time.sleep(_LOOK)


def give_up(connection: sa.Connection) -> None:
    """Let others have the lock; they may have it already, where the server ended it."""
    with suppress(sa.exc.DBAPIError):
        connection.rollback()
