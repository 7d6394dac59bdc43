"""Scrapy's queue: only what the run has sent to this process.

Pages wait in the catalogue's table ``discovery``. The run sends some at a time; Scrapy
adds only retries and redirects of those. So a kill loses nothing, and there is no other
queue, job folder or set of fingerprints.
"""

from __future__ import annotations

from collections import deque

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler


class CatalogueScheduler(BaseScheduler):
    """A queue in memory."""

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()

    def has_pending_requests(self) -> bool:
        """Return whether a request waits."""
        return bool(self._queue)

    def enqueue_request(self, request: Request) -> bool:
        """Add a request; the catalogue has each one once."""
        self._queue.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the request that has waited longest."""
        return self._queue.popleft() if self._queue else None
