"""Find pictures by an address, however it is spelled, and by the page they are on.

What was stored stays as it is: other spellings of it are compared by
`icf.catalogue.tombstones.spelled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urldefrag, urlsplit

import sqlalchemy as sa

from icf.catalogue.schema import image_source, url
from icf.catalogue.tombstones import spelled
from icf.harvest.fault import Fault
from icf.harvest.http.urls import normalise


@dataclass(frozen=True)
class Address:
    """An address that somebody gave.

    Attributes:
        text: as it was given, without spaces around it.
    """

    text: str

    @cached_property
    def normal(self) -> str:
        """As it is fetched; the text itself where it is no address of the web."""
        try:
            return normalise(self.text).url
        except Fault:
            return self.text

    @cached_property
    def _forms(self) -> frozenset[str]:
        """Its form, with the fragment too: that of a frame is its second."""
        fragment = urldefrag(self.text).fragment
        whole = f"{self.normal}#{fragment}" if fragment else self.normal
        return frozenset(spelled(each) for each in (self.text, self.normal, whole))

    def is_one_of(self, addresses: Iterable[str | None]) -> bool:
        """Whether one of some stored addresses is this one, in any spelling."""
        return any(
            each is not None and (each == self.text or spelled(each) in self._forms)
            for each in addresses
        )

    def near(self, *columns: sa.Column[str]) -> sa.ColumnElement[bool]:
        """Match rows that may have it: those that name its host, or its very text."""
        try:
            host = urlsplit(self.normal).netloc
        except ValueError:  # a folder may have any name
            host = ""
        return sa.or_(
            *(each.contains(host, autoescape=True) for each in columns),
            *(each == self.text for each in columns),
        )


@dataclass(frozen=True)
class Found:
    """What has an address.

    Attributes:
        subject: the address as it is stored; as it is fetched where nothing has it.
        images: ids of pictures.
        urls: ids of URLs.
    """

    subject: str
    images: frozenset[int]
    urls: Sequence[int]


def find_by_address(connection: sa.Connection, address: Address) -> Found:
    """Find what was fetched from an address, or is to be."""
    columns = url.c.url, url.c.original
    query = sa.select(url.c.id, *columns, url.c.image_id).where(address.near(*columns))
    rows = [
        row
        for row in connection.execute(query.order_by(url.c.id))
        if address.is_one_of([row.url, row.original])
    ]
    # As it was written comes before what it is normalised to, and before others.
    exact = [address.text, address.normal]
    rows.sort(key=lambda row: exact.index(row.url) if row.url in exact else len(exact))
    images = {row.image_id for row in rows if row.image_id is not None}
    places = image_source.c.url, image_source.c.fetched_from
    sources = sa.select(image_source.c.image_id, *places).where(address.near(*places))
    for row in connection.execute(sources):
        if address.is_one_of([row.url, row.fetched_from]):
            images.add(row.image_id)
    subject = rows[0].url if rows else address.normal
    return Found(subject, frozenset(images), [row.id for row in rows])


def pictures_of_page(connection: sa.Connection, page: Address) -> list[str]:
    """Return the addresses of the pictures that were found on a page."""
    found = set()
    for table in (url, image_source):
        query = sa.select(table.c.url, table.c.page_url)
        for row in connection.execute(query.where(page.near(table.c.page_url))):
            if page.is_one_of([row.page_url]):
                found.add(row.url)
    return sorted(found)
