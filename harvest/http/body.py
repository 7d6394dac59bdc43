"""Read a body under caps: bytes on the wire, bytes unpacked, bytes a second."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import aiohttp

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.session import faults_of

_PIECE = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What one fetch may cost.

    Attributes:
        max_bytes: of a body, on the wire and again unpacked.
        deadline: seconds, from the first request to the last byte.
        min_rate: bytes a second of a body, once ``grace`` seconds have passed.
        grace: seconds before the rate counts.
        longest_wait: seconds that a host may ask to be left alone.
    """

    max_bytes: int = 64_000_000
    deadline: float = 120.0
    min_rate: float = 1_000.0
    grace: float = 10.0
    longest_wait: float = 600.0


async def read_body(
    response: aiohttp.ClientResponse, limits: Limits
) -> AsyncIterator[bytes]:
    """Yield the unpacked body, piece by piece.

    Raises:
        Fault: ``too_large``, ``timeout`` or ``truncated``; ``http_error`` for a content
            encoding that was not asked for.
    """
    url = str(response.url)
    promised = response.content_length
    if promised is not None and promised > limits.max_bytes:
        raise too_large(url, f"it promises {promised} bytes", limits)
    unpack = unpacker(response.headers.get("Content-Encoding", ""), url)
    unpacked = 0
    async for packed in _wire(response, limits, url):
        for piece in unpack.feed(packed):
            unpacked += len(piece)
            if unpacked > limits.max_bytes:
                raise too_large(url, "unpacked it is more", limits)
            yield piece
    unpack.finish()


async def _wire(
    response: aiohttp.ClientResponse, limits: Limits, url: str
) -> AsyncIterator[bytes]:
    meter = Meter(url, limits)
    pieces = response.content.iter_any()
    while True:
        with faults_of(url, FetchStatus.TRUNCATED):
            try:
                piece = await pieces.__anext__()
            except StopAsyncIteration:
                return
        meter.count(len(piece))
        yield piece


class Meter:
    """Holds a body that arrives against the cap and the minimum rate.

    Args:
        url: where it comes from.
        limits: what it may cost.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._started = time.monotonic()
        self._received = 0

    def count(self, size: int) -> None:
        """Take note of so many more bytes.

        Raises:
            Fault: ``too_large``, or ``timeout`` where it comes too slowly.
        """
        limits = self._limits
        self._received += size
        if self._received > limits.max_bytes:
            raise too_large(self._url, "it is more", limits)
        seconds = time.monotonic() - self._started
        if seconds > limits.grace and self._received < limits.min_rate * seconds:
            raise Fault(
                FetchStatus.TIMEOUT,
                f"{self._url}: {self._received} bytes in {seconds:.0f} s is slower "
                f"than {limits.min_rate:.0f} bytes a second",
                again=True,
            )


def too_large(url: str, found: str, limits: Limits) -> Fault:
    """Return the fault of a body that is over the cap; ``found`` says how."""
    return Fault(
        FetchStatus.TOO_LARGE, f"{url}: {found}; the cap is {limits.max_bytes} bytes"
    )


class _AsIs:
    def feed(self, packed: bytes) -> Iterator[bytes]:
        yield packed

    def finish(self) -> None:
        pass


class _Inflate:
    def __init__(self, url: str) -> None:
        self._url = url
        self._stream = zlib.decompressobj(
            wbits=47
        )  # gzip or zlib, by their first bytes

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while packed and not self._stream.eof:
            try:
                piece = self._stream.decompress(packed, _PIECE)
            except zlib.error as error:
                raise self._damaged(str(error)) from error
            packed = self._stream.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        if not self._stream.eof:
            raise self._damaged("it ends early")

    def _damaged(self, how: str) -> Fault:
        text = f"{self._url}: the packed body is damaged: {how}"
        return Fault(FetchStatus.TRUNCATED, text, again=True)


def unpacker(encoding: str, url: str) -> _AsIs | _Inflate:
    """Return what unpacks a body of this ``Content-Encoding``, piece by piece.

    Raises:
        Fault: ``http_error`` for an encoding that was not asked for.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _AsIs()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Inflate(url)
    raise Fault(
        FetchStatus.HTTP_ERROR, f"{url}: Content-Encoding {name!r} was not asked for"
    )
