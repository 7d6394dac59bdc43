"""When may a host be asked, and how often again?

A host that asks to be left alone (429, 503 with or without Retry-After) is left alone,
and no other host. What may end better is tried again, later each time.
"""

from __future__ import annotations

import asyncio
import time

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import Response

from icf.harvest.http.retry_after import wait_seconds
from icf.harvest.http.statuses import SLOW_DOWN, is_temporary
from icf.harvest.http.urls import host_of
from icf.harvest.sources.web_rules.spider import spider_of
from icf.harvest.sources.web_rules.turns import Turns
from icf.settings import HarvestSettings

_MAY_END_BETTER = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    StopDownload,
)
#: How often a host may ask for time, above the ordinary attempts.
_EXTRA = 10
_TRIED, _PUT_OFF = "icf_tried", "icf_put_off"


class Patience:
    """Waits for a host's turn, and tries again what may end better."""

    def __init__(self, settings: HarvestSettings, turns: Turns) -> None:
        self._settings = settings
        self._turns = turns

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Patience:
        """Make the middleware of a crawl."""
        spider = spider_of(crawler)
        return cls(spider.harvest, spider.turns)

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> None:
        """Return when it is the turn of the request's host."""
        await self._turns.wait(host_of(request.url))

    async def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Return a response that is final, or the request again, later."""
        if response.status in SLOW_DOWN:
            header = (response.headers.get("Retry-After") or b"").decode("latin-1")
            longest = self._settings.retry_after_cap
            wait = wait_seconds(header or None, time.time(), longest)
            self._turns.leave_alone(host_of(request.url), wait)
            return self._put_off(request) or response
        if is_temporary(response.status):
            return await self._again(request) or response
        return response

    async def process_exception(
        self, request: Request, exception: Exception, spider: Spider | None = None
    ) -> Request | None:
        """Return the request again, later, where it may end better."""
        certain = "certificate" in str(exception)
        if certain or not isinstance(exception, _MAY_END_BETTER):
            return None
        return await self._again(request)

    def _put_off(self, request: Request) -> Request | None:
        times = int(request.meta.get(_PUT_OFF, 0)) + 1
        if times >= self._settings.attempts + _EXTRA:
            return None
        return request.replace(meta={**request.meta, _PUT_OFF: times})

    async def _again(self, request: Request) -> Request | None:
        tried = int(request.meta.get(_TRIED, 0)) + 1
        if tried >= self._settings.attempts:
            return None
        await asyncio.sleep(self._settings.backoff * 2 ** (tried - 1))
        return request.replace(meta={**request.meta, _TRIED: tried})
