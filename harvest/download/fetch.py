"""Fetch one picture: write its body to a sink, or raise a `Fault` with a fate."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.body import Limits, read_body
from icf.harvest.http.opt_out import opted_out, reserved
from icf.harvest.http.robots import Robots
from icf.harvest.http.robots_file import AGAINST_TRAINING, ROBOT
from icf.harvest.http.session import Web
from icf.harvest.http.statuses import fault_of_status, is_whole
from icf.harvest.sources.base import Sink

#: Response headers that are kept as provenance.
KEPT_HEADERS = ("Content-Type", "Last-Modified", "ETag", "Date", "Server")


@dataclass(frozen=True)
class Wanted:
    """One URL to fetch.

    Attributes:
        url: normalised.
        sha1: that the site states for its bytes, in hex, or None.
        etag: of the bytes that are already stored, or None.
        last_modified: of the bytes that are already stored, or None.
    """

    url: str
    sha1: str | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A body is complete in the sink.

    Attributes:
        url: after redirects.
        size: in bytes.
        headers: those of `KEPT_HEADERS` that the response has.
        raw: all headers, in their order.
        reserved: what its host says against training on it, or None.
    """

    url: str
    status: int
    size: int
    headers: dict[str, str]
    raw: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    reserved: str | None = None


@dataclass(frozen=True)
class NotModified:
    """The server says that the stored bytes are still current."""

    status: int


class Fetcher:
    """Fetches pictures through a guarded session.

    Args:
        web: the session.
        robots: checked before each request, also at each redirect.
        limits: on bytes and seconds.
        refuse_reserved: fetch no picture whose host speaks against training on it.
    """

    def __init__(
        self,
        web: Web,
        robots: Robots,
        limits: Limits,
        *,
        refuse_reserved: bool = True,
    ) -> None:
        self._web = web
        self._robots = robots
        self._limits = limits
        self._refuse_reserved = refuse_reserved

    async def has_names(self, host: str) -> bool:
        """Whether the name service answers, see `Web.has_names`."""
        return await self._web.has_names(host)

    async def fetch(self, wanted: Wanted, sink: Sink) -> Fetched | NotModified:
        """Request a picture and stream its bytes into a sink.

        Args:
            wanted: what to request.
            sink: where its body is written.

        Raises:
            Fault: no bytes that can be stored; discard what the sink has.
        """
        headers = {"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
        if wanted.etag is not None:
            headers["If-None-Match"] = wanted.etag
        if wanted.last_modified is not None:
            headers["If-Modified-Since"] = wanted.last_modified
        known = wanted.etag is not None or wanted.last_modified is not None
        async with self._web.open(
            wanted.url,
            deadline=self._limits.deadline,
            headers=headers,
            check=self._robots.check,
        ) as response:
            _check_head(response)
            if response.status == 304 and known:
                return NotModified(response.status)
            if not is_whole(response.status, response.headers.get("Content-Range")):
                raise fault_of_status(
                    str(response.url),
                    response.status,
                    response.reason or "",
                    response.headers.get("Retry-After"),
                    self._limits.longest_wait,
                )
            against = await self._reserved(response)
            size = await self._store(response, wanted, sink)
        kept = {k: response.headers[k] for k in KEPT_HEADERS if k in response.headers}
        raw = tuple(response.headers.items())
        return Fetched(str(response.url), response.status, size, kept, raw, against)

    async def _reserved(self, response: aiohttp.ClientResponse) -> str | None:
        """Return what the host says against training on what it gives, or None.

        Raises:
            Fault: it says so, and such pictures are refused.
        """
        url = str(response.url)
        against = reserved(response.headers.items())
        if against is None and await self._robots.reserves(url):
            against = AGAINST_TRAINING
        if against is not None and self._refuse_reserved:
            raise Fault(
                FetchStatus.OPTED_OUT,
                f"{url}: its site says {against}",
                http_status=response.status,
            )
        return against

    async def _store(
        self, response: aiohttp.ClientResponse, wanted: Wanted, sink: Sink
    ) -> int:
        size = 0
        try:
            async for piece in read_body(response, self._limits):
                size += len(piece)
                sink.write(piece)
        except Fault as fault:
            if not fault.again:  # the answer is at fault, and not its way here
                fault.http_status = response.status
            raise
        if size == 0:
            text = f"{wanted.url}: zero bytes"
            raise Fault(FetchStatus.EMPTY, text, http_status=response.status)
        if wanted.sha1 is not None and sink.sha1 != wanted.sha1:
            raise Fault(
                FetchStatus.HASH_MISMATCH,
                f"{wanted.url}: SHA-1 {sink.sha1}, the site states {wanted.sha1}",
                http_status=response.status,
                again=True,
            )
        return size


def _check_head(response: aiohttp.ClientResponse) -> None:
    directive = opted_out(response.headers.getall("X-Robots-Tag", []), ROBOT)
    if directive is not None and response.status < 400:
        raise Fault(
            FetchStatus.OPTED_OUT,
            f"{response.url}: X-Robots-Tag says {directive}",
            http_status=response.status,
        )
