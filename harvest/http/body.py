"""Read a body under caps on transferred bytes, decoded bytes and bytes per second."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.codings import Unpacker, too_large
from icf.harvest.http.session import faults_of
from icf.harvest.http.statuses import range_length


@dataclass(frozen=True)
class Limits:
    """Limits of one fetch.

    Attributes:
        max_bytes: of a body, as transferred and again decoded.
        deadline: seconds, from the first request to the last byte.
        min_rate: bytes per second of a body after ``grace`` seconds.
        grace: seconds before the rate is checked.
        longest_wait: maximum seconds of a pause that a host may ask for.
    """

    max_bytes: int = 64_000_000
    deadline: float = 120.0
    min_rate: float = 1_000.0
    grace: float = 10.0
    longest_wait: float = 600.0


async def read_body(
    response: aiohttp.ClientResponse, limits: Limits
) -> AsyncIterator[bytes]:
    """Yield the decoded body in pieces.

    Raises:
        Fault: ``too_large``, ``timeout`` or ``truncated``; ``http_error`` for more
            content encodings than can be meant.
    """
    url, most = str(response.url), limits.max_bytes
    stated = response.content_length
    if stated is not None and stated > most:
        raise too_large(url, f"Content-Length is {stated} bytes", most)
    encoding = ",".join(response.headers.getall("Content-Encoding", []))
    unpacker = Unpacker(url, encoding, most)
    async for encoded in _transferred(response, limits, url):
        for piece in unpacker.feed(encoded):
            yield piece
    unpacker.finish()


async def _transferred(
    response: aiohttp.ClientResponse, limits: Limits, url: str
) -> AsyncIterator[bytes]:
    meter = Meter(url, limits)
    pieces = response.content.iter_any()
    while True:
        with faults_of(url, FetchStatus.TRUNCATED):
            try:
                piece = await pieces.__anext__()
            except StopAsyncIteration:
                break
        meter.count(len(piece))
        yield piece
    content_range = response.headers.get("Content-Range")
    meter.end(range_length(response.status, content_range))


class Meter:
    """Checks a body against the size cap and the minimum rate while it arrives.

    Args:
        url: of the body.
        limits: to check.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._started = time.monotonic()
        self._received = 0

    def count(self, size: int) -> None:
        """Count more bytes.

        Raises:
            Fault: ``too_large``, or ``timeout`` if the rate is too low.
        """
        limits = self._limits
        self._received += size
        if self._received > limits.max_bytes:
            raise too_large(self._url, "the body is larger", limits.max_bytes)
        seconds = time.monotonic() - self._started
        if seconds > limits.grace and self._received < limits.min_rate * seconds:
            raise Fault(
                FetchStatus.TIMEOUT,
                f"{self._url}: {self._received} bytes in {seconds:.0f} s is slower "
                f"than {limits.min_rate:.0f} bytes per second",
                again=True,
            )

    def end(self, length: int | None) -> None:
        """Check that a body is complete; None where only the connection tells.

        Raises:
            Fault: ``truncated``.
        """
        if length is not None and self._received != length:
            text = f"{self._url}: {self._received} bytes of a range of {length}"
            raise Fault(FetchStatus.TRUNCATED, text, again=True)
