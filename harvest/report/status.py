"""What became of every URL, and what is tried again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import discovery, image, url
from icf.codes import FetchStatus

#: Fates that another day may change; what `retry` takes when nothing else is named.
PASSING = (
    FetchStatus.TRUNCATED,
    FetchStatus.TIMEOUT,
    FetchStatus.UNREACHABLE,
    FetchStatus.HTTP_ERROR,
    FetchStatus.REFUSED,
    FetchStatus.HASH_MISMATCH,
)

#: Fates that asking the same URL again can change at all.
ASKABLE = tuple(
    fate
    for fate in FetchStatus
    if fate
    not in (
        FetchStatus.PENDING,
        FetchStatus.MISSING_FILE,
        FetchStatus.MISSING_PAGE,
        FetchStatus.TAKEN_DOWN,
    )
)


@dataclass(frozen=True)
class UrlRow:
    """One URL, for people to look at."""

    url: str
    fate: str
    http_status: int | None
    attempts: int
    message: str | None


@dataclass(frozen=True)
class ListingRow:
    """One listing that failed, or that had rows which could not be read."""

    source: str
    subject: str
    status: str
    message: str


def count_urls(connection: sa.Connection) -> dict[str, int]:
    """Count the URLs by fate; ``total`` first, then in the order of the codes."""
    query = sa.select(url.c.fate, sa.func.count()).group_by(url.c.fate)
    found = {fate: int(count) for fate, count in connection.execute(query)}
    ordered = {
        fate.value: found[fate.value] for fate in FetchStatus if fate.value in found
    }
    return {"total": sum(found.values()), **ordered}


def count_images(connection: sa.Connection) -> tuple[int, int]:
    """Count the images, and their bytes."""
    total = sa.func.coalesce(sa.func.sum(image.c.bytes), 0)
    count, size = connection.execute(sa.select(sa.func.count(), total)).one()
    return int(count), int(size)


def troubled_listings(connection: sa.Connection, limit: int) -> Sequence[ListingRow]:
    """Return the first listings that somebody should look at."""
    query = (
        sa.select(discovery)
        .where(discovery.c.message.is_not(None))
        .order_by(discovery.c.id)
        .limit(limit)
    )
    return [
        ListingRow(row.source, row.subject, row.status, row.message)
        for row in connection.execute(query)
    ]


def urls_of(
    connection: sa.Connection, fate: FetchStatus, limit: int
) -> Sequence[UrlRow]:
    """Return the first URLs of one fate."""
    query = (
        sa.select(url).where(url.c.fate == fate.value).order_by(url.c.id).limit(limit)
    )
    return [
        UrlRow(row.url, row.fate, row.http_status, row.attempts, row.message)
        for row in connection.execute(query)
    ]


@dataclass(frozen=True)
class Which:
    """Which URLs and listings are tried again.

    Attributes:
        fates: of the URLs.
        sources: names of those that listed them; empty for all.
        hosts: as in URLs, with a port where it is not the scheme's own; empty for all,
            and with one no listing is meant.
    """

    fates: tuple[FetchStatus, ...] = PASSING
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def urls(self) -> sa.ColumnElement[bool]:
        """The condition on rows of ``url``."""
        where = [url.c.fate.in_(sorted(fate.value for fate in self.fates))]
        if self.sources:
            where.append(url.c.source.in_(self.sources))
        if self.hosts:
            where.append(url.c.host.in_(self.hosts))
        return sa.and_(*where)

    @property
    def listings(self) -> sa.ColumnElement[bool]:
        """The condition on rows of ``discovery``."""
        if self.hosts:
            return sa.false()
        failed = discovery.c.status == "failed"
        if not self.sources:
            return failed
        return sa.and_(failed, discovery.c.source.in_(self.sources))


def count_again(connection: sa.Connection, which: Which) -> dict[str, int]:
    """Count the URLs that would be tried again, by fate, in the order of the codes."""
    query = (
        sa.select(url.c.fate, sa.func.count()).where(which.urls).group_by(url.c.fate)
    )
    found = {fate: int(count) for fate, count in connection.execute(query)}
    return {
        fate.value: found[fate.value] for fate in FetchStatus if fate.value in found
    }


def make_pending(
    connection: sa.Connection,
    fates: Collection[FetchStatus],
    sources: Collection[str] = (),
    hosts: Collection[str] = (),
) -> int:
    """Let URLs of these fates, of these sources and hosts, be fetched again.

    Returns:
        How many.
    """
    which = Which(tuple(fates), tuple(sources), tuple(hosts))
    again: dict[str, Any] = {
        "fate": FetchStatus.PENDING.value,
        "attempts": 0,
        "not_before": 0.0,
        "finished_at": None,
        "leased_by": None,
        "leased_until": 0.0,
    }
    changed = connection.execute(sa.update(url).where(which.urls).values(again))
    return changed.rowcount


def count_failed_listings(connection: sa.Connection, which: Which) -> int:
    """Count the failed listings that would be asked again."""
    query = sa.select(sa.func.count()).select_from(discovery).where(which.listings)
    return int(connection.execute(query).scalar_one())


def list_again(connection: sa.Connection, which: Which) -> int:
    """Let failed listings be asked again; return how many."""
    changed = connection.execute(
        sa.update(discovery)
        .where(which.listings)
        .values(status="pending", message=None)
    )
    return changed.rowcount
