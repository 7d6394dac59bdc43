"""The spider: it reads the page of a listing and replies with what is on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import scrapy
from parsel import Selector
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse
from scrapy.utils.response import get_base_url
from twisted.python.failure import Failure

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.opt_out import reserved
from icf.harvest.http.robots_file import AGAINST_TRAINING
from icf.harvest.http.urls import normalise
from icf.harvest.sources.base import Listing, ListingPage, Task
from icf.harvest.sources.web_rules.channel import Channel
from icf.harvest.sources.web_rules.messages import Reply
from icf.harvest.sources.web_rules.page import Page, read_page, url_of
from icf.harvest.sources.web_rules.refusal import (
    LISTING,
    RESERVES,
    listing_of,
    reason_of,
)
from icf.harvest.sources.web_rules.slots import HostSlots
from icf.harvest.sources.web_rules.tables import WebTable
from icf.settings import HarvestSettings


class RulesSpider(scrapy.Spider):
    """Reads pages by the rules of one source.

    Args:
        table: the rules.
        harvest: settings.
        channel: where replies go.
    """

    def __init__(
        self,
        table: WebTable,
        harvest: HarvestSettings,
        channel: Channel,
    ) -> None:
        super().__init__(table.name)
        self.table = table
        self.harvest = harvest
        self.channel = channel
        self.slots = HostSlots()
        self._open: set[int] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> RulesSpider:
        """Make the spider of a crawl."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Begin without requests: the run sends the listings."""
        return
        yield

    def ask(self, listing: Listing) -> None:
        """Request the page of a listing that the run has sent."""
        self._open.add(listing.id)
        request = Request(
            url_of(listing.task),
            self.parse,
            errback=self.failed,
            meta={LISTING: listing},
            dont_filter=True,
        )
        self.crawler.engine.crawl(request)

    def parse(self, response: Response) -> Iterator[Reply]:
        """Reply with what is on a page."""
        listing = _listing(response.request)
        try:
            answer = self._read(response, listing.task)
        except Exception as error:
            # Any error of a parser is a fault of its page.
            text = f"{type(error).__name__}: {error}"
            fault = f"{FetchStatus.HTTP_ERROR}: {response.url}: cannot be read: {text}"
            yield self._reply(listing, fault=fault)
        else:
            yield self._reply(listing, answer=answer)

    def failed(self, failure: Failure) -> Iterator[Reply]:
        """Reply why a page could not be fetched."""
        request: Request = failure.request  # type: ignore[attr-defined]
        assert failure.value is not None
        reason = reason_of(failure.value, request.url)
        yield self._reply(_listing(request), fault=reason)

    def idle(self) -> None:
        """Wait for more; reply with a fault for a listing that Scrapy dropped.

        Raises:
            DontCloseSpider: always; the run closes the spider.
        """
        for number in sorted(self._open):
            fault = f"{FetchStatus.HTTP_ERROR}: Scrapy dropped its request"
            self.channel.send(Reply(number, fault=fault))
        self._open.clear()
        raise DontCloseSpider

    def _read(self, response: Response, task: Task) -> ListingPage:
        if not isinstance(response, HtmlResponse | XmlResponse):
            kind = (response.headers.get("Content-Type") or b"none").decode("latin-1")
            raise ValueError(f"no HTML or XML; Content-Type: {kind}")
        page = _page(response)
        if self.harvest.no_training == "refuse":
            page = replace(page, reserved=_reserved(response, page.root))
        return read_page(page, task, self.table, obey=self.harvest.respect_robots)

    def _reply(
        self,
        listing: Listing,
        answer: ListingPage | None = None,
        fault: str | None = None,
    ) -> Reply:
        self._open.discard(listing.id)
        return Reply(listing.id, answer, fault)


def spider_of(crawler: Crawler) -> RulesSpider:
    """Return the spider of a crawl."""
    assert isinstance(crawler.spider, RulesSpider)
    return crawler.spider


def _listing(request: Request | None) -> Listing:
    found = None if request is None else listing_of(request)
    assert found is not None
    return found


def _page(response: TextResponse) -> Page:
    response = _readable(response)
    robots = response.headers.getlist("X-Robots-Tag")
    base = _base(response)
    kind = "xml" if isinstance(response, XmlResponse) else "html"
    return Page(
        response.url,
        base,
        Selector(text=response.text, type=kind, base_url=base),
        tuple(value.decode("latin-1") for value in robots),
    )


def _reserved(response: TextResponse, root: Selector) -> str | None:
    """Return what a site says against training on what is on a page, or None."""
    headers = (
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in response.headers.items()
        for value in values
    )
    metas = (
        (meta.attrib["name"].strip(), meta.attrib["content"])
        for meta in root.xpath("//meta[@name and @content]")
    )
    against = reserved(chain(headers, metas))
    return against or (AGAINST_TRAINING if response.meta.get(RESERVES) else None)


def _readable(response: TextResponse) -> TextResponse:
    """Return a response as UTF-8 if the encoding that it names is none of text."""
    try:
        "".encode(response.encoding)
    except (LookupError, UnicodeError):
        return response.replace(encoding="utf-8")
    return response


def _base(response: TextResponse) -> str:
    """Return what links are relative to; as in browsers, a bad ``<base>`` is none."""
    try:
        return normalise(get_base_url(response)).url
    except (Fault, ValueError):
        return response.url
