"""What became of every URL, and what is tried again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import discovery, image, url
from icf.codes import Fate

#: Fates that another day may change; what `retry` takes when nothing else is named.
PASSING = (
    Fate.TRUNCATED,
    Fate.TIMEOUT,
    Fate.UNREACHABLE,
    Fate.HTTP_ERROR,
    Fate.REFUSED,
    Fate.HASH_MISMATCH,
)

#: Fates that asking the same URL again can change at all.
ASKABLE = tuple(
    fate
    for fate in Fate
    if fate not in (Fate.PENDING, Fate.MISSING_FILE, Fate.MISSING_PAGE, Fate.TAKEN_DOWN)
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
    ordered = {fate.value: found[fate.value] for fate in Fate if fate.value in found}
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


def urls_of(connection: sa.Connection, fate: Fate, limit: int) -> Sequence[UrlRow]:
    """Return the first URLs of one fate."""
    query = (
        sa.select(url).where(url.c.fate == fate.value).order_by(url.c.id).limit(limit)
    )
    return [
        UrlRow(row.url, row.fate, row.http_status, row.attempts, row.message)
        for row in connection.execute(query)
    ]


def count_fates(connection: sa.Connection, fates: Collection[Fate]) -> int:
    """Count the URLs of these fates."""
    query = sa.select(sa.func.count()).where(_one_of(fates))
    return int(connection.execute(query).scalar_one())


def make_pending(connection: sa.Connection, fates: Collection[Fate]) -> int:
    """Let URLs of these fates be fetched again; return how many."""
    again: dict[str, Any] = {
        "fate": Fate.PENDING.value,
        "attempts": 0,
        "not_before": 0.0,
        "finished_at": None,
        "leased_by": None,
        "leased_until": 0.0,
    }
    changed = connection.execute(sa.update(url).where(_one_of(fates)).values(again))
    return changed.rowcount


def count_failed_listings(connection: sa.Connection) -> int:
    """Count the listings that failed."""
    query = sa.select(sa.func.count()).where(discovery.c.status == "failed")
    return int(connection.execute(query).scalar_one())


def list_again(connection: sa.Connection) -> int:
    """Let failed listings be asked again; return how many."""
    changed = connection.execute(
        sa.update(discovery)
        .where(discovery.c.status == "failed")
        .values(status="pending", message=None)
    )
    return changed.rowcount


def _one_of(fates: Collection[Fate]) -> sa.ColumnElement[bool]:
    return url.c.fate.in_(sorted(fate.value for fate in fates))
