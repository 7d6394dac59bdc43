"""Obey robots.txt inside Scrapy, which by itself treats an error as permission."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK

from icf.codes import FetchStatus
from icf.harvest.http.robots import LONGEST_DELAY
from icf.harvest.http.robots_file import RobotsRules, read_robots
from icf.harvest.http.statuses import is_whole
from icf.harvest.http.urls import host_of
from icf.harvest.sources.web_rules.refusal import (
    RESERVES,
    Refusal,
    listing_of,
    reason_of,
    refuse,
)
from icf.harvest.sources.web_rules.spider import spider_of


class ObeyRobots:
    """Refuses what robots.txt forbids, and keeps its Crawl-delay.

    It is disabled without ROBOTSTXT_OBEY.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured("harvest.respect_robots is off")
        self._crawler = crawler
        self._slots = spider_of(crawler).slots
        self._rules: dict[str, RobotsRules | Refusal | None] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ObeyRobots:
        """Make the middleware of a crawl."""
        return cls(crawler)

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> None:
        """Return when a page's host allows it.

        Raises:
            Refusal: it does not, or cannot say.
        """
        if listing_of(request) is None:
            return  # a robots.txt itself
        parts = urlsplit(request.url)
        rules = await self._rules_of(f"{parts.scheme}://{parts.netloc}")
        if isinstance(rules, Refusal):
            raise rules
        request.meta[RESERVES] = rules is not None and not rules.may_train(request.url)
        if rules is not None and not rules.may_fetch(request.url):
            raise refuse(
                FetchStatus.DISALLOWED, f"{request.url}: robots.txt forbids it"
            )

    async def _rules_of(self, origin: str) -> RobotsRules | Refusal | None:
        async with self._asking.setdefault(origin, asyncio.Lock()):
            if origin not in self._rules:
                self._rules[origin] = await self._ask(f"{origin}/robots.txt")
        return self._rules[origin]

    async def _ask(self, url: str) -> RobotsRules | Refusal | None:
        asked = Request(url, callback=NO_CALLBACK)
        try:
            response = await self._crawler.engine.download_async(asked)
        except Exception as error:
            if isinstance(error, Refusal) and not error.fault.again:
                return error
            return _silent(url, reason_of(error, url))
        if response.status == 429 or response.status >= 500:
            return _silent(url, f"HTTP {response.status}")
        if not is_whole(response.status):
            return None  # RFC 9309, section 2.3.1.3: unavailable means allowed
        rules = read_robots(response.body)
        self._slots.spacing[host_of(url)] = min(rules.crawl_delay, LONGEST_DELAY)
        return rules


def _silent(url: str, why: str) -> Refusal:
    text = f"{url}: {why}; the site is left alone until its rules are known"
    return refuse(FetchStatus.HTTP_ERROR, text)
