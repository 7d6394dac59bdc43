"""The frontier: rows of the table ``url``, leased to workers.

Any number of workers on any number of machines share it. A worker leases rows in
batches and either finishes them or releases them. If a worker dies, its rows can be
leased again when the lease expires.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import locked
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus
from icf.harvest.http.dns_health import is_public_name
from icf.stores.files import process_exists

#: Stored URLs that are looked at for names of hosts, and names that are enough.
_LAST, _NAMES = 100, 3


@dataclass(frozen=True)
class Leased:
    """A URL that this worker has leased.

    Attributes:
        sha1: that the site states for its bytes, or None.
        attempts: number of attempts so far.
        image_id: of the bytes stored for it earlier, or None.
        headers: JSON of the response headers of those bytes, or None.
        sha256: of those bytes where there are headers, or None.
        fallbacks: other addresses of the same picture.
        address_no: which one is asked for: 0 is the URL, 1 the first fallback.
        before: how the address before this one failed, or None.
    """

    id: int
    url: str
    host: str
    source: str
    sha1: str | None
    attempts: int
    image_id: int | None = None
    headers: str | None = None
    sha256: str | None = None
    fallbacks: tuple[str, ...] = ()
    address_no: int = 0
    before: str | None = None

    @property
    def address(self) -> str:
        """What is requested now: the URL, or one of its fallbacks."""
        return self.address_at(self.address_no)

    def address_at(self, number: int) -> str:
        """Return an address by its number."""
        return self.fallbacks[number - 1] if number else self.url


class Frontier:
    """The frontier, used by one worker.

    Args:
        catalogue: that has the rows.
        lease_seconds: duration of a lease.
        worker: the worker's name; by default unique to this process.
        clock: returns epoch seconds; by default the same for all machines.
        only: condition on the rows for this worker; None for all.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        lease_seconds: float,
        worker: str | None = None,
        clock: Callable[[], float] | None = None,
        only: sa.ColumnElement[bool] | None = None,
    ) -> None:
        self._only = sa.true() if only is None else only
        self._catalogue = catalogue
        self._lease = lease_seconds
        self.worker = worker or worker_name(os.getpid())
        self.clock = clock or catalogue.clock()

    def lease(self, limit: int, full_hosts: Collection[str] = ()) -> list[Leased]:
        """Lease up to ``limit`` URLs that are due, oldest first.

        Args:
            limit: maximum number of URLs.
            full_hosts: hosts of which this worker has enough URLs.
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
            known = _known_of(connection, rows)
        return [_leased(row, known) for row in rows]

    def renew(self, ids: Collection[int]) -> None:
        """Extend the leases of this worker on rows."""
        until = self.clock() + self._lease
        with self._catalogue.write() as connection:
            self._set(ids, connection, {"leased_until": until}, mine=True)

    def release(self, ids: Collection[int]) -> None:
        """End the leases of this worker on rows."""
        with self._catalogue.write() as connection:
            self._set(ids, connection, _FREE, mine=True)

    def postpone(self, host: str, until: float) -> None:
        """Let no worker lease a host's rows until a time."""
        waiting = sa.and_(
            url.c.fate == FetchStatus.PENDING.value,
            url.c.host == host,
            url.c.not_before < until,
        )
        with self._catalogue.write() as connection:
            change = sa.update(url).where(locked(connection, url, waiting))
            connection.execute(change.values(not_before=until))

    def next_due(self, without: Collection[str] = ()) -> float | None:
        """Return when the next pending row can be leased; None if none is pending.

        A row that another worker has leased is free when that lease ends.

        Args:
            without: hosts to leave out.
        """
        hosts = url.c.host.not_in(sorted(without)) if without else sa.true()
        wanted = sa.and_(self._only, hosts)
        first_free = (
            sa.select(url.c.not_before)
            .where(self._is_free(self.clock()), wanted)
            .order_by(url.c.not_before)
            .limit(1)
        )
        first_expired = sa.select(sa.func.min(url.c.leased_until)).where(
            _is_leased(), url.c.fate == FetchStatus.PENDING.value, wanted
        )
        with self._catalogue.read() as connection:
            free = connection.execute(first_free).scalar()
            expires = connection.execute(first_expired).scalar()
        return min((t for t in (free, expires) if t is not None), default=None)

    def living_names(self) -> list[str]:
        """Return the names of hosts that gave pictures: of the last ones stored."""
        stored = url.c.fate == FetchStatus.STORED.value
        query = sa.select(url.c.host).where(stored, url.c.host != "")
        last = query.order_by(url.c.not_before.desc(), url.c.id.desc()).limit(_LAST)
        with self._catalogue.read() as connection:
            hosts = connection.execute(last).scalars().all()
        names = dict.fromkeys(urlsplit(f"//{each}").hostname or "" for each in hosts)
        return [each for each in names if is_public_name(each)][:_NAMES]

    def release_dead_workers(self) -> int:
        """End the leases of dead processes of this machine; return how many."""
        now = self.clock()
        holders = (
            sa.select(url.c.leased_by)
            .where(_is_leased(), url.c.leased_until > now)
            .distinct()
        )
        with self._catalogue.write() as connection:
            held_by = connection.execute(holders).scalars().all()
            dead = [name for name in held_by if name and not _is_alive(name)]
            theirs = sa.and_(_is_leased(), url.c.leased_by.in_(dead))
            change = sa.update(url).where(locked(connection, url, theirs))
            return connection.execute(change.values(_FREE)).rowcount

    def _is_free(self, now: float) -> sa.ColumnElement[bool]:
        # A lease that ends later than any lease can was made before the clock was set
        # back; it would never expire.
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
        chosen = among(connection, url.c.id, ids)
        if mine:
            chosen = sa.and_(chosen, url.c.leased_by == self.worker)
        change = sa.update(url).where(locked(connection, url, chosen))
        connection.execute(change.values(values))


_FREE: dict[str, object] = {"leased_by": None, "leased_until": 0.0}


#: Response headers and hash of stored bytes, by image, URL and fetched address.
Known = dict[tuple[int, str, str], tuple[str, str]]


def _leased(row: sa.Row[tuple[object, ...]], known: Known) -> Leased:
    others = json.loads(row.fallbacks) if row.fallbacks else []
    bare = Leased(
        row.id,
        row.url,
        row.host,
        row.source,
        row.expected_sha1,
        row.attempts,
        row.image_id,
        fallbacks=tuple(others),
        address_no=min(row.address_no, len(others)),
        before=row.message if row.address_no else None,
    )
    stored = known.get((row.image_id, row.url, bare.address), (None, None))
    return replace(bare, headers=stored[0], sha256=stored[1])


def _is_leased() -> sa.ColumnElement[bool]:
    # Literal text, not a parameter, so that the database can use the partial index.
    return url.c.leased_until > sa.text("0")


def _known_of(
    connection: sa.Connection, rows: Iterable[sa.Row[tuple[object, ...]]]
) -> Known:
    known = [row.image_id for row in rows if row.image_id is not None]
    if not known:
        return {}
    found = connection.execute(
        sa.select(image_source, image.c.sha256)
        .join(image, image.c.id == image_source.c.image_id)
        .where(among(connection, image_source.c.image_id, known))
    )
    return {
        (row.image_id, row.url, row.fetched_from or row.url): (row.headers, row.sha256)
        for row in found
        if row.headers
    }


def worker_name(pid: int) -> str:
    """Return a unique name of a process: machine, process id, start time."""
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def _is_alive(worker: str) -> bool:
    """Return whether a worker may still run; True for those of other machines."""
    machine, _, rest = worker.rpartition(":")[0].rpartition(":")
    if machine != socket.gethostname() or not rest.isdigit():
        return True
    return worker == worker_name(int(rest)) and process_exists(int(rest))


def _started(pid: int) -> str:
    """Return when a process started, in kernel ticks; empty if unknown.

    A zombie, as in a container without an init, counts as ended.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields: Sequence[str] = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
