"""Respect robots.txt (RFC 9309)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.body import Limits, read_body
from icf.harvest.http.retry_after import wait_seconds
from icf.harvest.http.robots_file import MAX_BYTES, RobotsRules, read_robots
from icf.harvest.http.session import Web
from icf.harvest.http.statuses import is_whole
from icf.harvest.http.urls import host_of, normalise

_KEPT_SECONDS = 86_400.0
_MOST_HOSTS = 10_000
LONGEST_DELAY = 60.0
_MAX_WAIT = 600.0
_LEADS_NOWHERE = (
    FetchStatus.TOO_MANY_REDIRECTS,
    FetchStatus.BAD_SCHEME,
    FetchStatus.BAD_URL,
)
#: Of what is read of a file, whatever length it states.
_LIMITS = Limits(max_bytes=sys.maxsize)


@dataclass(frozen=True)
class _Rules:
    """The rules of a host; ``rules`` is None if everything is allowed."""

    rules: RobotsRules | None
    until: float


class Robots:
    """The robots.txt of each host, fetched once a day and kept in memory.

    Args:
        web: the guarded session.
        obey: False allows everything, for your own sites.
    """

    def __init__(self, web: Web, *, obey: bool = True) -> None:
        self._web = web
        self._obey = obey
        self._kept: OrderedDict[str, _Rules] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    async def check(self, url: str) -> None:
        """Check that ``url`` may be fetched.

        Raises:
            Fault: ``disallowed``; or a fault with a pause if the host does not answer
                now (5xx, 429).
        """
        if not self._obey:
            return
        rules = await self._rules(_origin(url))
        # Addresses that earlier versions stored may go around the rules by "/../".
        if rules is not None and not rules.may_fetch(normalise(url).url):
            raise Fault(FetchStatus.DISALLOWED, f"{url}: robots.txt forbids it")

    async def reserves(self, url: str) -> bool:
        """Whether the host speaks against training on what ``url`` gives.

        Raises:
            Fault: as in `check`.
        """
        if not self._obey:
            return False
        rules = await self._rules(_origin(url))
        return rules is not None and not rules.may_train(normalise(url).url)

    def delay(self, url: str) -> float | None:
        """Return the crawl delay of the host in seconds; None if unknown."""
        if not self._obey:
            return 0.0
        kept = self._kept.get(_origin(url))
        if kept is None:
            return None
        if kept.rules is None:
            return 0.0
        return min(kept.rules.crawl_delay, LONGEST_DELAY)

    async def _rules(self, origin: str) -> RobotsRules | None:
        lock = self._locks.setdefault(origin, asyncio.Lock())
        try:
            async with lock:
                kept = self._kept.get(origin)
                if kept is None or kept.until < time.monotonic():
                    rules = await self._fetch(origin)
                    kept = _Rules(rules, time.monotonic() + _KEPT_SECONDS)
                    self._keep(origin, kept)
        finally:
            self._locks.pop(origin, None)
        return kept.rules

    def _keep(self, origin: str, rules: _Rules) -> None:
        self._kept[origin] = rules
        self._kept.move_to_end(origin)
        if len(self._kept) > _MOST_HOSTS:
            self._kept.popitem(last=False)

    async def _fetch(self, origin: str) -> RobotsRules | None:
        url = f"{origin}/robots.txt"
        try:
            async with self._web.open(url, deadline=30.0) as response:
                status = response.status
                if status == 429 or status >= 500:
                    raise _unavailable(url, response)
                if not is_whole(status, response.headers.get("Content-Range")):
                    return None  # RFC 9309, section 2.3.1.3: unavailable means allowed
                return read_robots(await first_bytes(response))
        except Fault as fault:
            if fault.fate in _LEADS_NOWHERE:
                return None  # section 2.3.1.2: so does a redirect that leads nowhere
            raise


async def first_bytes(response: aiohttp.ClientResponse) -> bytes:
    """Return what counts of a robots.txt, and a byte more if there is more.

    Raises:
        Fault: the body breaks off, or is damaged.
    """
    body = b""
    async for piece in read_body(response, _LIMITS):
        body += piece
        if len(body) > MAX_BYTES:
            break
    return body


def _unavailable(url: str, response: aiohttp.ClientResponse) -> Fault:
    header = response.headers.get("Retry-After")
    return Fault(
        FetchStatus.HTTP_ERROR,
        f"{url}: HTTP {response.status}; no request to it until its rules are known",
        http_status=response.status,
        again=True,
        host=host_of(url),
        wait=wait_seconds(header, time.time(), _MAX_WAIT),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
