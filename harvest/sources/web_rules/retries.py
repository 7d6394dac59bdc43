"""Wait between requests to a host, and retry what may succeed later.

A host that answers 429 or 503, with or without Retry-After, gets no requests for that
time; other hosts do. What may succeed later is retried, after a longer time each time.
"""

from __future__ import annotations

import asyncio
import time

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from icf.harvest.http.retry_after import wait_seconds
from icf.harvest.http.statuses import SLOW_DOWN, is_temporary
from icf.harvest.http.urls import host_of
from icf.harvest.sources.web_rules.refusal import Refusal
from icf.harvest.sources.web_rules.slots import HostSlots
from icf.harvest.sources.web_rules.spider import spider_of
from icf.settings import HarvestSettings

#: How often a host may ask to wait, in addition to the ordinary attempts.
_EXTRA = 10
_TRIED, _PUT_OFF = "icf_tried", "icf_put_off"


class Retries:
    """Waits for a host's next slot, and retries what may succeed later."""

    def __init__(self, settings: HarvestSettings, slots: HostSlots) -> None:
        self._settings = settings
        self._slots = slots

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Retries:
        """Make the middleware of a crawl."""
        spider = spider_of(crawler)
        return cls(spider.harvest, spider.slots)

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> None:
        """Return when the request's host may be asked."""
        await self._slots.wait(host_of(request.url))

    async def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Return a response that is final, or the request again, later."""
        if response.status in SLOW_DOWN:
            header = (response.headers.get("Retry-After") or b"").decode("latin-1")
            longest = self._settings.retry_after_cap
            wait = wait_seconds(header or None, time.time(), longest)
            self._slots.leave_alone(host_of(request.url), wait)
            return self._put_off(request) or response
        if is_temporary(response.status):
            return await self._again(request) or response
        return response

    async def process_exception(
        self, request: Request, exception: Exception, spider: Spider | None = None
    ) -> Request | None:
        """Return the request again, later, if it may succeed then."""
        if not isinstance(exception, Refusal) or not exception.fault.again:
            return None
        return None if exception.fault.names_down else await self._again(request)

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
