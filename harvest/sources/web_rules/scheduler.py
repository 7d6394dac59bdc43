"""Scrapy's queue: nothing but what the catalogue has lent to this process.

Pages wait in the catalogue's table ``discovery``. The run lends some at a time; Scrapy
adds only retries and redirects of those. So nothing is here that a kill could lose, and
no other queue, job folder or fingerprint set exists.
"""

from __future__ import annotations

from collections import deque

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler


class CatalogueScheduler(BaseScheduler):
    """A queue in memory, as long as what was lent."""

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()

    def has_pending_requests(self) -> bool:
        """Tell whether something waits."""
        return bool(self._queue)

    def enqueue_request(self, request: Request) -> bool:
        """Take a request; each is one that the catalogue has once."""
        self._queue.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the request that has waited longest."""
        return self._queue.popleft() if self._queue else None
