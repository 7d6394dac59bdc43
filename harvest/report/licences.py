"""The licences of the pictures of a workspace, and where they were read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import sqlalchemy as sa

from icf.catalogue.references import HAND
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus, ImageReason
from icf.licence_names import licence_family
from icf.names import one_line
from icf.redact import without_login
from icf.spreadsheet import harmless

_PAGE = 5_000


@dataclass(frozen=True)
class LicenceRow:
    """The URLs of one source under one licence.

    Attributes:
        family: one name for all spellings.
        licence: as the source writes it.
        licence_from: where it was read.
        source: name of the source.
        urls: number of URLs, of files where people chose references from files.
        images: number of different stored pictures of these URLs.
        without_author: number of URLs without a known author.
    """

    family: str
    licence: str
    licence_from: str
    source: str
    urls: int
    images: int
    without_author: int


@dataclass(frozen=True)
class PictureSource:
    """One place where a stored picture was found."""

    sha256: str
    url: str
    page: str
    source: str
    family: str
    licence: str
    licence_url: str
    licence_from: str
    author: str


COLUMNS = tuple(each.name for each in fields(PictureSource))


def tabulate(connection: sa.Connection) -> list[LicenceRow]:
    """Count URLs and pictures by licence, where it was read, and source."""
    licence = sa.func.coalesce(url.c.licence, "unknown").label("licence")
    where = sa.func.coalesce(url.c.licence_from, "unknown").label("licence_from")
    authorless = sa.case((sa.func.coalesce(url.c.author, "") == "", 1), else_=0)
    stored = sa.case(
        (url.c.fate != FetchStatus.TAKEN_DOWN.value, url.c.image_id), else_=None
    )
    query = sa.select(
        licence,
        url.c.licence_url,
        where,
        url.c.source,
        sa.func.count().label("urls"),
        sa.func.count(stored.distinct()).label("images"),
        sa.func.sum(authorless).label("without_author"),
    ).group_by(licence, url.c.licence_url, where, url.c.source)
    rows = [
        LicenceRow(
            licence_family(row.licence, row.licence_url),
            row.licence,
            row.licence_from,
            row.source,
            int(row.urls),
            int(row.images),
            int(row.without_author),
        )
        for each in (query, _by_hand())
        for row in connection.execute(each)
    ]
    return _merged(rows)


def _by_hand() -> sa.Select[Any]:
    """The same counts of pictures that were chosen from files, which no URL lists."""
    found = image_source.c
    stored = sa.case(
        (image.c.reason != ImageReason.TAKEN_DOWN.value, image.c.id), else_=None
    )
    authorless = sa.case((sa.func.coalesce(found.author, "") == "", 1), else_=0)
    return (
        sa.select(
            found.licence,
            found.licence_url,
            found.licence_from,
            found.source,
            sa.func.count().label("urls"),
            sa.func.count(stored.distinct()).label("images"),
            sa.func.sum(authorless).label("without_author"),
        )
        .join(image, image.c.id == found.image_id)
        .where(found.source == HAND)
        .group_by(found.licence, found.licence_url, found.licence_from, found.source)
    )


def picture_sources(connection: sa.Connection) -> Iterator[tuple[str, ...]]:
    """Yield a row of `COLUMNS` for every source of every picture, in pages."""
    last = 0
    query = (
        sa.select(image_source, image.c.sha256)
        .join(image, image.c.id == image_source.c.image_id)
        .where(image.c.reason != ImageReason.TAKEN_DOWN.value)
        .order_by(image_source.c.id)
        .limit(_PAGE)
    )
    while rows := connection.execute(query.where(image_source.c.id > last)).all():
        last = rows[-1].id
        for row in rows:
            found = PictureSource(
                row.sha256,
                row.fetched_from or row.url,
                without_login(row.page_url or ""),
                row.source,
                licence_family(row.licence, row.licence_url),
                row.licence,
                row.licence_url or "",
                row.licence_from,
                row.author or "",
            )
            yield tuple(harmless(one_line(cell)) for cell in astuple(found))


def _merged(rows: Sequence[LicenceRow]) -> list[LicenceRow]:
    """Merge rows that differ only in the licence's URL; most URLs first."""
    sums: dict[tuple[str, str, str, str], LicenceRow] = {}
    for row in rows:
        key = (row.family, row.licence, row.licence_from, row.source)
        known = sums.get(key)
        sums[key] = LicenceRow(
            *key,
            row.urls + (known.urls if known else 0),
            row.images + (known.images if known else 0),
            row.without_author + (known.without_author if known else 0),
        )
    return sorted(sums.values(), key=lambda row: (-row.urls, astuple(row)))
