"""Read a body under caps on transferred bytes, decoded bytes and bytes per second."""

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
        Fault: ``too_large``, ``timeout`` or ``truncated``; ``http_error`` for a content
            encoding that was not requested.
    """
    url = str(response.url)
    stated = response.content_length
    if stated is not None and stated > limits.max_bytes:
        raise too_large(url, f"Content-Length is {stated} bytes", limits)
    decoder = decoder_of(response.headers.get("Content-Encoding", ""), url)
    decoded = 0
    async for encoded in _transferred(response, limits, url):
        for piece in decoder.feed(encoded):
            decoded += len(piece)
            if decoded > limits.max_bytes:
                raise too_large(url, "the decoded body is larger", limits)
            yield piece
    decoder.finish()


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
                return
        meter.count(len(piece))
        yield piece


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
            raise too_large(self._url, "the body is larger", limits)
        seconds = time.monotonic() - self._started
        if seconds > limits.grace and self._received < limits.min_rate * seconds:
            raise Fault(
                FetchStatus.TIMEOUT,
                f"{self._url}: {self._received} bytes in {seconds:.0f} s is slower "
                f"than {limits.min_rate:.0f} bytes per second",
                again=True,
            )


def too_large(url: str, found: str, limits: Limits) -> Fault:
    """Return the fault of a body over the cap; ``found`` describes its size."""
    return Fault(
        FetchStatus.TOO_LARGE, f"{url}: {found}; the cap is {limits.max_bytes} bytes"
    )


class _Identity:
    def feed(self, encoded: bytes) -> Iterator[bytes]:
        yield encoded

    def finish(self) -> None:
        pass


class _Inflate:
    def __init__(self, url: str) -> None:
        self._url = url
        self._stream = zlib.decompressobj(
            wbits=47
        )  # gzip or zlib, by their first bytes

    def feed(self, encoded: bytes) -> Iterator[bytes]:
        while encoded and not self._stream.eof:
            try:
                piece = self._stream.decompress(encoded, _PIECE)
            except zlib.error as error:
                raise self._damaged(str(error)) from error
            encoded = self._stream.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        if not self._stream.eof:
            raise self._damaged("it ends early")

    def _damaged(self, how: str) -> Fault:
        text = f"{self._url}: the encoded body is damaged: {how}"
        return Fault(FetchStatus.TRUNCATED, text, again=True)


def decoder_of(encoding: str, url: str) -> _Identity | _Inflate:
    """Return the decoder of a ``Content-Encoding``.

    Raises:
        Fault: ``http_error`` for an encoding that was not requested.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Identity()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Inflate(url)
    raise Fault(
        FetchStatus.HTTP_ERROR, f"{url}: Content-Encoding {name!r} was not requested"
    )
