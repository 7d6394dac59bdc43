"""Scrapy's downloads, made with the session that also fetches pictures.

So pages have the same checks of addresses, the same reading of HTTP and the same
limits, and Twisted connects to nothing.
"""

from __future__ import annotations

import time

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits, read_body
from icf.harvest.http.dns_health import wait_for_dns
from icf.harvest.http.robots import first_bytes
from icf.harvest.http.session import Web
from icf.harvest.http.urls import normalise
from icf.harvest.sources.web_rules.messages import Reply
from icf.harvest.sources.web_rules.refusal import Refusal, listing_of
from icf.harvest.sources.web_rules.spider import spider_of


class GuardedDownloads(BaseDownloadHandler):
    """Makes one request; redirects are followed by Scrapy, which checks each step."""

    lazy = True  # made within the running loop

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._spider = spider_of(crawler)
        harvest = self._spider.harvest
        self._limits = Limits(
            max_bytes=crawler.settings.getint("DOWNLOAD_MAXSIZE"),
            deadline=harvest.deadline,
            min_rate=harvest.min_rate,
        )
        self._web = Web(
            crawler.settings.get("USER_AGENT"),
            AllowList(harvest.allow_hosts),
            connections=crawler.settings.getint("CONCURRENT_REQUESTS"),
            proxy=harvest.proxy,
        )
        self._is_open = False

    async def download_request(self, request: Request) -> Response:
        """Return the response to a request, its body unpacked.

        Raises:
            Refusal: there is none.
        """
        if not self._is_open:
            self._is_open = True
            await self._web.__aenter__()
        try:
            return await wait_for_dns(lambda: self._download(request))
        except Fault as fault:
            if fault.names_down:
                self._spider.channel.send(Reply(halt=str(fault)))
            raise Refusal(fault) from fault

    async def close(self) -> None:
        """Close every connection."""
        if self._is_open:
            await self._web.__aexit__(None, None, None)

    async def _download(self, request: Request) -> Response:
        sent, began = request.headers.to_unicode_dict(), time.monotonic()
        async with self._web.ask(
            normalise(request.url).url,
            deadline=self._limits.deadline,
            headers={str(name): value for name, value in sent.items()},
        ) as response:
            request.meta["download_latency"] = time.monotonic() - began
            if listing_of(request) is None:
                body = await first_bytes(response)  # of a robots.txt
            else:
                pieces = read_body(response, self._limits)
                body = b"".join([piece async for piece in pieces])
        headers = Headers(
            [
                (name, value)
                for name, value in response.raw_headers
                if name.lower() != b"content-encoding"
            ]
        )
        kind = responsetypes.from_args(headers=headers, url=request.url, body=body)
        return kind(request.url, response.status, headers, body, request=request)
