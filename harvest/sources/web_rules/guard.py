"""The first and the last middleware: they check hosts and schemes.

All requests pass through here, also those for a robots.txt, retries and the steps of
a redirect. Their addresses are checked when they are connected to (`downloads`).
"""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.session import REDIRECTS
from icf.harvest.http.urls import normalise
from icf.harvest.sources.web_rules.refusal import Refusal, listing_of, refuse
from icf.harvest.sources.web_rules.spider import RulesSpider, spider_of


class StayOnSite:
    """Refuses pages of hosts that are not the source's, before any request."""

    def __init__(self, spider: RulesSpider) -> None:
        self._spider = spider

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StayOnSite:
        """Make the middleware of a crawl."""
        return cls(spider_of(crawler))

    def process_request(self, request: Request, spider: Spider | None = None) -> None:
        """Let requests to the source's hosts pass, and those for a robots.txt.

        Raises:
            Refusal: it is a page of another host.
        """
        if listing_of(request) is None:
            return
        try:
            host = normalise(request.url).host
        except Fault as fault:
            raise Refusal(fault) from fault
        if host not in self._spider.table.allowed_hosts:
            raise refuse(
                FetchStatus.DISALLOWED,
                f"{host} is another site than the source's own; name it in the "
                "source's `hosts` if its pages are wanted",
            )


class Guard:
    """Refuses what a redirect may not lead to."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Response:
        """Refuse redirects to other schemes; the next request checks the rest."""
        location = response.headers.get("Location")
        if response.status in REDIRECTS and location:
            try:
                normalise(location.decode("latin-1"), base=request.url)
            except Fault as fault:
                raise Refusal(fault) from fault
        return response
