"""Leases: what is before whom, until when.

A row is written before the browser gets its handle. It ends when it is answered or
given back. After its time others may get the same thing; an answer that comes late,
from a browser that was offline, is taken all the same.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from icf.annotate.people.people import Person, person_of
from icf.annotate.tasks.base import Lease
from icf.catalogue.annotation.schema import lease, person
from icf.catalogue.rows import by_ids, lock_table, locked


class Now(sa.FunctionElement[float]):
    """When a statement begins, in seconds since 1970, by the database's clock.

    All servers with one catalogue go by it, whatever their own clocks say.
    """

    type = sa.Double()
    inherit_cache = True


@compiles(Now, "sqlite")
def _here(_element: Now, _compiler: object, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Now, "postgresql")
def _there(_element: Now, _compiler: object, **_: Any) -> str:
    return "extract(epoch FROM statement_timestamp())::float8"


#: The lease holds something now.
_NOT_OVER = (lease.c.ended_at.is_(None), lease.c.until > Now())


@dataclass(frozen=True)
class Leasing:
    """How long things are held.

    Attributes:
        seconds: a lease without a sign of life.
    """

    seconds: float

    def issue(
        self,
        connection: sa.Connection,
        holder: Person,
        task: str,
        subjects: Sequence[tuple[str, int]],
        grid: str | None = None,
    ) -> list[Lease]:
        """Lease things to a person, in the caller's transaction.

        Args:
            connection: a write transaction.
            holder: who gets them.
            task: the page that shows them.
            subjects: the source and the id of each.
            grid: as of `Lease`.

        Returns:
            A lease each, in the same order.
        """
        now = time.time()
        made = [
            Lease(secrets.token_hex(16), holder, source, key, task, grid, now)
            for source, key in subjects
        ]
        rows = [
            {
                "handle": each.handle,
                "person_id": holder.id,
                "source": each.source,
                "subject_id": each.subject_id,
                "task": task,
                "grid": grid,
                "issued_at": now,
            }
            for each in made
        ]
        if rows:
            insert = sa.insert(lease).values(until=Now() + self.seconds)
            connection.execute(insert, rows)
        return made

    def prolong(
        self, connection: sa.Connection, holder: Person, handles: Collection[str]
    ) -> None:
        """Hold things longer, because the page that shows them is still open."""
        update = _held(connection, holder, handles)
        connection.execute(update.values(until=Now() + self.seconds))


def lock_leases(connection: sa.Connection) -> None:
    """Let nobody else lease anything until the caller's write transaction ends.

    So two people who ask at once do not get the same. Answers go on meanwhile, so what
    is free must be read by one statement, or what is held before what is answered.
    """
    if connection.dialect.name == "postgresql":
        lock = "LOCK TABLE lease IN SHARE UPDATE EXCLUSIVE MODE"
        connection.execute(sa.text(lock))


def lock_leases_and_answers(connection: sa.Connection) -> None:
    """Do the same, and let no answer end a lease until then."""
    lock_table(connection, lease)


def sweep(connection: sa.Connection) -> int:
    """End leases that ran out, so that the index of what is held stays small.

    Returns:
        How many there were.
    """
    over = lease.c.ended_at.is_(None), lease.c.until <= Now()
    # What is answered or prolonged at this moment needs no end.
    free = sa.select(lease.c.id).where(*over).with_for_update(skip_locked=True)
    update = sa.update(lease).where(lease.c.id.in_(free))
    return connection.execute(update.values(ended_at=lease.c.until)).rowcount


def end(connection: sa.Connection, holder: Person, handles: Collection[str]) -> None:
    """End leases: they were answered, or given back."""
    update = _held(connection, holder, handles)
    connection.execute(update.values(ended_at=time.time()))


def holding(source: str, subject: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """The condition on a lease that holds one of a query's things now.

    Args:
        source: of the things.
        subject: the column of their ids.
    """
    return sa.and_(lease.c.source == source, lease.c.subject_id == subject, *_NOT_OVER)


def held(
    connection: sa.Connection, source: str, ids: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield the id and the holder's id of each of some things that is held now."""
    query = sa.select(lease.c.subject_id, lease.c.person_id).where(
        lease.c.source == source, *_NOT_OVER
    )
    for row in by_ids(connection, query, lease.c.subject_id, ids):
        yield row.subject_id, row.person_id


def find(connection: sa.Connection, handle: str) -> Lease | None:
    """Read a lease, ended or not."""
    row = connection.execute(_BY_HANDLE, {"of_handle": handle}).first()
    if row is None:
        return None
    return Lease(
        row.handle,
        person_of(row),
        row.source,
        row.subject_id,
        row.task,
        row.grid,
        row.issued_at,
    )


# Made once: every picture and every answer asks it.
_BY_HANDLE = (
    sa.select(
        lease.c.handle,
        lease.c.source,
        lease.c.subject_id,
        lease.c.task,
        lease.c.grid,
        lease.c.issued_at,
        person,
    )
    .join(person, person.c.id == lease.c.person_id)
    .where(lease.c.handle == sa.bindparam("of_handle"))
)


def _held(
    connection: sa.Connection, holder: Person, handles: Collection[str]
) -> sa.Update:
    held = sa.and_(
        lease.c.person_id == holder.id,
        # A person holds few things at once.
        lease.c.handle.in_(list(handles)[:900]),
        lease.c.ended_at.is_(None),
    )
    return sa.update(lease).where(locked(connection, lease, held))
