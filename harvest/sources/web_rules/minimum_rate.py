"""Stop a download that is too slow; DOWNLOAD_TIMEOUT alone allows any rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload

from icf.harvest.http.body import Limits
from icf.harvest.sources.web_rules.spider import spider_of


class MinimumRate:
    """Measures the rate of each download.

    Args:
        rate: bytes a second, on the wire.
        grace: seconds before it counts.
        clock: seconds.
    """

    def __init__(
        self,
        rate: float,
        grace: float = Limits().grace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._grace = grace
        self._clock = clock
        self._began: WeakKeyDictionary[Request, tuple[float, int]] = WeakKeyDictionary()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> MinimumRate:
        """Make the extension of a crawl, and connect it to its signals."""
        made = cls(spider_of(crawler).harvest.min_rate)
        crawler.signals.connect(made.headers_came, signals.headers_received)
        crawler.signals.connect(made.bytes_came, signals.bytes_received)
        return made

    def headers_came(self, request: Request) -> None:
        """Start the clock of a download."""
        self._began[request] = (self._clock(), 0)

    def bytes_came(self, data: bytes, request: Request) -> None:
        """Count bytes.

        Raises:
            StopDownload: the rate is too low.
        """
        began, before = self._began.get(request, (self._clock(), 0))
        received, seconds = before + len(data), self._clock() - began
        self._began[request] = (began, received)
        if seconds > self._grace and received < self._rate * seconds:
            raise StopDownload(fail=True)
