"""One attempt at one URL: store its bytes, or raise a fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import replace

from icf.codes import FetchStatus, ImageReason
from icf.harvest.download.blob_sink import BlobSink
from icf.harvest.download.fetch import Fetcher, NotModified, Wanted
from icf.harvest.download.frontier import Leased
from icf.harvest.download.results import Ended, Result, Stored
from icf.harvest.download.warc import WarcFiles
from icf.harvest.fault import Fault
from icf.harvest.http.robots import Robots
from icf.harvest.sources.base import Reader
from icf.images import Header, Undecodable, probe
from icf.images.header import MAX_PIXELS
from icf.images.marks.no_training import no_training
from icf.stores.blobs import BlobStore


class Attempt:
    """Fetches or reads the bytes of leased URLs.

    Args:
        fetcher: for pictures on the web.
        robots: gives the crawl delay of each host.
        blobs: where bytes are stored.
        readers: the readers of sources with own files, by source name.
        withdrawn: SHA-256 of bytes that must not be stored again.
        max_pixels: cap on the pixels that a picture's header states.
        refuse_marked: store no picture whose metadata forbids training on it.
        warc: stores requests and responses, if that is wanted.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        robots: Robots,
        blobs: BlobStore,
        readers: Mapping[str, Reader],
        withdrawn: Collection[str] = (),
        *,
        max_pixels: int = MAX_PIXELS,
        refuse_marked: bool = True,
        warc: WarcFiles | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._robots = robots
        self._blobs = blobs
        self._readers = readers
        self._withdrawn = withdrawn
        self._max_pixels = max_pixels
        self._refuse_marked = refuse_marked
        self._warc = warc

    def delay(self, leased: Leased) -> float | None:
        """Return the seconds between requests to the URL's host; None if unknown."""
        return self._robots.delay(leased.address) if leased.host else 0.0

    async def has_names(self, host: str) -> bool:
        """Whether the name service answers about a name below that of a host."""
        return await self._fetcher.has_names(host)

    async def make(self, leased: Leased) -> Result:
        """Store the bytes of a URL.

        Raises:
            Fault: there are no bytes that can be stored.
        """
        if not leased.host:
            return await asyncio.to_thread(self._read, leased)
        return await self._fetch(leased)

    async def _fetch(self, leased: Leased) -> Result:
        url = leased.address
        wanted = _wanted(leased)
        if await asyncio.to_thread(self._has_lost, leased):
            wanted = replace(wanted, etag=None, last_modified=None)
        with BlobSink(self._blobs, sha1=wanted.sha1 is not None) as sink:
            got = await self._fetcher.fetch(wanted, sink)
            if isinstance(got, NotModified):
                return Ended(leased, FetchStatus.UNCHANGED, None, got.status)
            self._check(url, sink, got.status)
            header = _header(sink.head, url, self._max_pixels, got.status)
            mark = await asyncio.to_thread(self._mark_of, url, sink, got.status)
            # Flushing to disk is slow; in a thread it does not block other fetches.
            sha256 = await asyncio.to_thread(sink.keep)
        if self._warc is not None:
            body = await asyncio.to_thread(self._blobs.get, sha256)
            await asyncio.to_thread(self._warc.write, url, got, body)
        stored = _stored(leased, sha256, got.size, header, got.headers, got.status)
        return replace(stored, no_training=mark, reserved=got.reserved)

    def _has_lost(self, leased: Leased) -> bool:
        """Whether bytes that were stored are not there any more, or others.

        Then "not modified" would be no answer.
        """
        known = leased.sha256
        return known is not None and not self._blobs.is_whole(known)

    def _read(self, leased: Leased) -> Result:
        reader = self._readers.get(leased.source)
        if reader is None:
            raise Fault(
                FetchStatus.FORBIDDEN_ADDRESS,
                f"{leased.url}: no declared source named {leased.source!r} reads it",
            )
        with BlobSink(self._blobs) as sink:
            reader.read(leased.url, sink)
            if sink.size == 0:
                raise Fault(FetchStatus.EMPTY, f"{leased.url}: zero bytes")
            self._check(leased.url, sink, None)
            header = _header(sink.head, leased.url, self._max_pixels, None)
            mark = self._mark_of(leased.url, sink, None)
            sha256 = sink.keep()
        stored = _stored(leased, sha256, sink.size, header, {}, None)
        return replace(stored, no_training=mark)

    def _mark_of(self, url: str, sink: BlobSink, status: int | None) -> str | None:
        """Return what a picture's metadata says against training on it."""
        mark = no_training(sink.content())
        if mark is not None and self._refuse_marked:
            raise Fault(
                FetchStatus.NO_TRAINING,
                f"{url}: its metadata says {mark}; not stored",
                http_status=status,
            )
        return mark

    def remove(self, sha256: str) -> None:
        """Remove bytes that were withdrawn while they were being fetched."""
        self._blobs.remove(sha256)

    def _check(self, url: str, sink: BlobSink, status: int | None) -> None:
        """Reject withdrawn bytes before they are stored."""
        if self._withdrawn and sink.sha256 in self._withdrawn:
            raise Fault(
                FetchStatus.TAKEN_DOWN,
                f"{url}: these bytes were withdrawn; not stored",
                http_status=status,
            )


_ENDS = {
    ImageReason.NOT_IMAGE: FetchStatus.NOT_IMAGE,
    ImageReason.TOO_LARGE: FetchStatus.TOO_LARGE,
}


def _header(
    head: bytes, url: str, max_pixels: int, status: int | None
) -> Header | None:
    """Read the picture's header; None if only the decoder can read it.

    Args:
        head: the first bytes.
        url: of the picture, for messages.
        max_pixels: the most that it may have.
        status: of the response; None of a file of one's own.

    Raises:
        Fault: ``not_image``, by the first bytes; ``too_large``, by the pixels that the
            header states.
    """
    try:
        return probe(head, max_pixels)
    except Undecodable as error:
        fate = _ENDS.get(error.reason)
        if fate is not None:
            raise Fault(fate, f"{url}: {error}", http_status=status) from error
        return None


def _stored(
    leased: Leased,
    sha256: str,
    size: int,
    header: Header | None,
    headers: dict[str, str],
    status: int | None,
) -> Stored:
    known = (header.format, header.width, header.height) if header else (None,) * 3
    return Stored(leased, sha256, size, headers, status, *known)


def _wanted(leased: Leased) -> Wanted:
    """Make a conditional request if earlier response headers allow one."""
    known = json.loads(leased.headers) if leased.headers else {}
    # The hash is that of the first address; a fallback may be a smaller version.
    sha1 = None if leased.address_no else leased.sha1
    return Wanted(leased.address, sha1, known.get("ETag"), known.get("Last-Modified"))
