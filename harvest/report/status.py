"""Rows of the status report: images, URLs of one fate, failed listings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.schema import discovery, image, url
from icf.codes import FetchStatus, ImageReason
from icf.redact import redact


@dataclass(frozen=True)
class UrlRow:
    """One URL with its fate."""

    url: str
    fate: str
    http_status: int | None
    attempts: int
    message: str | None


@dataclass(frozen=True)
class ListingRow:
    """One listing that failed or had unreadable rows."""

    source: str
    subject: str
    status: str
    message: str


def count_images(connection: sa.Connection) -> tuple[int, int]:
    """Count the images, and their bytes, without those that were withdrawn."""
    total = sa.func.coalesce(sa.func.sum(image.c.bytes), 0)
    there = image.c.reason != ImageReason.TAKEN_DOWN.value
    query = sa.select(sa.func.count(), total).where(there)
    count, size = connection.execute(query).one()
    return int(count), int(size)


def listings_with_messages(
    connection: sa.Connection, limit: int
) -> Sequence[ListingRow]:
    """Return the first listings with a message, without passwords."""
    query = (
        sa.select(discovery)
        .where(discovery.c.message.is_not(None))
        .order_by(discovery.c.id)
        .limit(limit)
    )
    return [
        ListingRow(row.source, redact(row.subject), row.status, redact(row.message))
        for row in connection.execute(query)
    ]


def urls_of(
    connection: sa.Connection, fate: FetchStatus, limit: int
) -> Sequence[UrlRow]:
    """Return the first URLs with a fate."""
    query = (
        sa.select(url).where(url.c.fate == fate.value).order_by(url.c.id).limit(limit)
    )
    return [
        UrlRow(row.url, row.fate, row.http_status, row.attempts, row.message)
        for row in connection.execute(query)
    ]
