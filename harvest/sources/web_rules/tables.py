"""The keys of a source of kind ``web``."""

from __future__ import annotations

from typing import Annotated

import pydantic

from icf.harvest.fault import Fault
from icf.harvest.http.urls import host_of, normalise
from icf.harvest.sources.base import SourceTable
from icf.harvest.sources.web_rules.queries import Query, QueryOrText


def _normalised(url: str) -> str:
    try:
        return normalise(url).url
    except Fault as fault:
        raise ValueError(str(fault)) from fault


PageUrl = Annotated[str, pydantic.AfterValidator(_normalised)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Albums(_Table):
    """The pages that list albums.

    Attributes:
        start: their addresses; without ``link`` each is an album's own page.
        link: leads to an album's page.
        item: holds one album; ``link`` and the rest are looked for in it. Without it
            they are looked for in the link.
        name: of the album; by default the text of the link.
        rank: a number.
        region: where it was made, as a query or for all albums.
        style: how it is drawn, as a query or for all albums.
        next: leads to the next page of the list.
    """

    start: tuple[PageUrl, ...] = pydantic.Field(min_length=1)
    link: Query | None = None
    item: Query | None = None
    name: QueryOrText | None = None
    rank: Query | None = None
    region: QueryOrText | None = None
    style: QueryOrText | None = None
    next: Query | None = None

    @pydantic.model_validator(mode="after")
    def _named(self) -> Albums:
        if self.link is None and self.name is None:
            raise ValueError(
                "give either a link, to the albums' pages, or a name, of the album "
                "that the start pages are about"
            )
        return self


class Characters(_Table):
    """An album's page, where it lists characters.

    Attributes:
        link: leads to a character's page; without it the pictures are in the item.
        item: holds one character.
        name: of the character; by default the text of the link.
        gender: as a query or for all characters.
        next: leads to the next page of the list.
    """

    link: Query | None = None
    item: Query | None = None
    name: Query | None = None
    gender: QueryOrText | None = None
    next: Query | None = None

    @pydantic.model_validator(mode="after")
    def _found(self) -> Characters:
        if self.link is None and (self.item is None or self.name is None):
            raise ValueError("give either a link, or an item and the name in it")
        return self


class Images(_Table):
    """A character's page; without ``characters`` an album's page.

    Attributes:
        url: of the pictures.
        link: leads to a page of its own for each picture, where ``url`` and the rest
            are looked for.
        item: holds one picture, its licence and its author.
        lead: the picture that the page leads with.
        licence: as a query or for all pictures; by default what the page marks with
            ``rel="license"``.
        licence_url: of the licence's text.
        author: as a query or for all pictures.
        next: leads to the next page of the pictures.
    """

    url: Query
    link: Query | None = None
    item: Query | None = None
    lead: Query | None = None
    licence: QueryOrText | None = None
    licence_url: QueryOrText | None = None
    author: QueryOrText | None = None
    next: Query | None = None


class WebTable(SourceTable):
    """The keys of a source of kind ``web``.

    Attributes:
        hosts: further hosts whose pages may be requested, next to those of
            ``albums.start``.
        max_pages: of one list, by way of its ``next``.
        max_page_bytes: cap on one page, on the wire and unpacked.
        delay: seconds between two pages of a host, at the least.
    """

    albums: Albums
    characters: Characters | None = None
    images: Images
    hosts: tuple[str, ...] = ()
    max_pages: int = pydantic.Field(default=1000, ge=1)
    max_page_bytes: int = pydantic.Field(default=5_000_000, ge=1)
    delay: float = pydantic.Field(default=0.5, ge=0)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts whose pages may be requested, as ``name`` or ``name:port``."""
        named = (_as_in_urls(each) for each in self.hosts)
        return frozenset({*named, *(host_of(url) for url in self.albums.start)})


def _as_in_urls(host: str) -> str:
    """Return a host as it is in normalised URLs; unchanged if it is none.

    >>> _as_in_urls("Wiki.Example.org"), _as_in_urls("[::FFFF:10.0.0.1]:8080")
    ('wiki.example.org', '[::ffff:a00:1]:8080')
    """
    try:
        return host_of(normalise(f"http://{host.strip()}/").url)
    except Fault:
        return host
