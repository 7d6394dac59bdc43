"""The frontier: rows of the table ``url``, lent to workers for a while.

Any number of workers on any number of machines share it. A worker leases rows in
batches, and either finishes them or gives them back; what it does neither with, because
it died, is lent again when the lease ends.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image_source, url
from icf.codes import FetchStatus


@dataclass(frozen=True)
class Leased:
    """A URL that this worker holds.

    Attributes:
        sha1: what the site says of its bytes, or None.
        attempts: made so far.
        image_id: of the bytes stored for it before, or None.
        headers: JSON of the response that brought those bytes, or None.
    """

    id: int
    url: str
    host: str
    source: str
    sha1: str | None
    attempts: int
    image_id: int | None = None
    headers: str | None = None


class Frontier:
    """The frontier as one worker sees it.

    Args:
        catalogue: where the rows are.
        lease_seconds: how long rows are lent.
        worker: the worker's name; by default one that no other process has.
        clock: epoch seconds.
        only: which rows this worker is for; None for all of them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        lease_seconds: float,
        worker: str | None = None,
        clock: Callable[[], float] = time.time,
        only: sa.ColumnElement[bool] | None = None,
    ) -> None:
        self._only = sa.true() if only is None else only
        self._catalogue = catalogue
        self._lease = lease_seconds
        self.worker = worker or worker_name(os.getpid())
        self.clock = clock

    def lease(self, limit: int, full_hosts: Collection[str] = ()) -> list[Leased]:
        """Take up to ``limit`` URLs that are due, oldest first.

        Args:
            limit: how many at most.
            full_hosts: hosts of which this worker holds enough.
        """
        now = self.clock()
        query = (
            sa.select(url)
            .where(self._is_free(now), self._only, url.c.not_before <= now)
            .order_by(url.c.not_before, url.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if full_hosts:
            query = query.where(url.c.host.not_in(sorted(full_hosts)))
        with self._catalogue.write() as connection:
            rows = connection.execute(query).all()
            held = {"leased_by": self.worker, "leased_until": now + self._lease}
            self._set([row.id for row in rows], connection, held)
            headers = _headers_of(connection, rows)
        return [
            Leased(
                row.id,
                row.url,
                row.host,
                row.source,
                row.expected_sha1,
                row.attempts,
                row.image_id,
                headers.get((row.image_id, row.url)),
            )
            for row in rows
        ]

    def renew(self, ids: Collection[int]) -> None:
        """Keep rows that this worker holds for another lease."""
        until = self.clock() + self._lease
        with self._catalogue.write() as connection:
            self._set(ids, connection, {"leased_until": until}, mine=True)

    def give_back(self, ids: Collection[int]) -> None:
        """Let others have rows at once."""
        with self._catalogue.write() as connection:
            self._set(ids, connection, _FREE, mine=True)

    def postpone(self, host: str, until: float) -> None:
        """Keep every worker from a host's rows until a time."""
        waiting = sa.and_(url.c.fate == FetchStatus.PENDING.value, url.c.host == host)
        with self._catalogue.write() as connection:
            connection.execute(
                sa.update(url)
                .where(waiting, url.c.not_before < until)
                .values(not_before=until)
            )

    def next_due(self, without: Collection[str] = ()) -> float | None:
        """Return when the next pending row can be had; None when none is pending.

        A row that another worker holds can be had, at the latest, when its lease ends.

        Args:
            without: hosts whose rows are not wanted.
        """
        asked = url.c.host.not_in(sorted(without)) if without else sa.true()
        wanted = sa.and_(self._only, asked)
        first_free = (
            sa.select(url.c.not_before)
            .where(self._is_free(self.clock()), wanted)
            .order_by(url.c.not_before)
            .limit(1)
        )
        first_back = sa.select(sa.func.min(url.c.leased_until)).where(
            _is_lent(), url.c.fate == FetchStatus.PENDING.value, wanted
        )
        with self._catalogue.read() as connection:
            free = connection.execute(first_free).scalar()
            back = connection.execute(first_back).scalar()
        return min((t for t in (free, back) if t is not None), default=None)

    def take_from_the_dead(self) -> int:
        """Free what processes of this machine held that are no longer there."""
        now = self.clock()
        holders = (
            sa.select(url.c.leased_by)
            .where(_is_lent(), url.c.leased_until > now)
            .distinct()
        )
        with self._catalogue.write() as connection:
            held_by = connection.execute(holders).scalars().all()
            dead = [name for name in held_by if name and not _is_alive(name)]
            freed = connection.execute(
                sa.update(url)
                .where(_is_lent(), url.c.leased_by.in_(dead))
                .values(_FREE)
            )
            return freed.rowcount

    def _is_free(self, now: float) -> sa.ColumnElement[bool]:
        # A lease that ends later than any lease can was taken before the clock went
        # back; nobody would ever return it.
        ended = url.c.leased_until <= now
        impossible = url.c.leased_until > now + 2 * self._lease
        return sa.and_(
            url.c.fate == FetchStatus.PENDING.value, sa.or_(ended, impossible)
        )

    def _set(
        self,
        ids: Collection[int],
        connection: sa.Connection,
        values: dict[str, object],
        *,
        mine: bool = False,
    ) -> None:
        if not ids:
            return
        change = sa.update(url).where(url.c.id.in_(sorted(ids))).values(values)
        if mine:
            change = change.where(url.c.leased_by == self.worker)
        connection.execute(change)


_FREE: dict[str, object] = {"leased_by": None, "leased_until": 0.0}


def _is_lent() -> sa.ColumnElement[bool]:
    # Written out, not a parameter: so it is the condition of the index.
    return url.c.leased_until > sa.text("0")


def _headers_of(
    connection: sa.Connection, rows: Iterable[sa.Row[tuple[object, ...]]]
) -> dict[tuple[int, str], str]:
    """Return the response headers of rows that were fetched before."""
    known = [row.image_id for row in rows if row.image_id is not None]
    if not known:
        return {}
    found = connection.execute(
        sa.select(image_source).where(image_source.c.image_id.in_(known))
    )
    return {(row.image_id, row.url): row.headers for row in found if row.headers}


def worker_name(pid: int) -> str:
    """Return a name that no other process has: machine, process, its start."""
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def _is_alive(worker: str) -> bool:
    """Tell whether a worker may still be there; True for those of other machines."""
    machine, _, rest = worker.rpartition(":")[0].rpartition(":")
    if machine != socket.gethostname() or not rest.isdigit():
        return True
    return worker == worker_name(int(rest)) and _exists(int(rest))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; empty where unknown.

    One that has ended and that nobody has waited for yet, as in a container without an
    init, is gone for us too.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields: Sequence[str] = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
