"""Unpack what ``Content-Encoding`` names, in pieces and under a cap (RFC 9110, 8.4).

The codings are those of browsers: gzip in any number of members, deflate with and
without the frame of zlib, br, zstd, and several of them one after another. A name that
is no coding is passed over, as browsers do: some stores write ``aws-chunked`` or
``utf-8`` there, and the body is plain.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import brotli

from icf.codes import FetchStatus
from icf.harvest.fault import Fault

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What we can unpack, as an ``Accept-Encoding`` header.
ACCEPTED = "gzip, deflate, br, zstd"

_PIECE = 1 << 16
_MOST_CODINGS = 4
_GZIP = b"\x1f\x8b"
#: RFC 9659: a window of more than 8 MB need not be supported.
_ZSTD_WINDOW = {int(zstd.DecompressionParameter.window_log_max): 23}


class Unpacker:
    """Unpacks one body.

    Args:
        url: of the body.
        encoding: its ``Content-Encoding``; several headers are joined with commas.
        max_bytes: cap on what each of the codings unpacks to.

    Raises:
        Fault: ``http_error`` for a coding that browsers do not undo either, and for
            more codings than any server has a reason for.
    """

    def __init__(self, url: str, encoding: str, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        names = [one.partition(";")[0].strip().lower() for one in encoding.split(",")]
        known = [name for name in names if name in _CODINGS]
        for name in _OTHERS.intersection(names):
            text = f"{url}: Content-Encoding {name!r} cannot be undone"
            raise Fault(FetchStatus.HTTP_ERROR, text)
        if len(known) > _MOST_CODINGS:
            text = f"{url}: packed {len(known)} times; {_MOST_CODINGS} are the most"
            raise Fault(FetchStatus.HTTP_ERROR, text)
        # The last one was applied last.
        self._layers = [(name, _CODINGS[name]()) for name in reversed(known)]
        self._sizes = [0] * len(known)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Unpack the next bytes.

        Raises:
            Fault: ``truncated`` if they are damaged, ``too_large`` above the cap.
        """
        pieces: Iterable[bytes] = [packed]
        for number in range(len(self._layers)):
            pieces = self._through(number, pieces)
        yield from pieces

    def finish(self) -> None:
        """Check that the body is complete.

        Raises:
            Fault: ``truncated``.
        """
        for name, layer in self._layers:
            if not layer.is_complete:
                raise self._damaged(name, "it ends early")

    def _through(self, number: int, packed: Iterable[bytes]) -> Iterator[bytes]:
        name, layer = self._layers[number]
        for one in packed:
            try:
                for piece in layer.feed(one):
                    self._sizes[number] += len(piece)
                    if self._sizes[number] > self._max_bytes:
                        raise too_large(
                            self._url, "the decoded body is larger", self._max_bytes
                        )
                    yield piece
            except (zlib.error, brotli.error, zstd.ZstdError) as error:
                raise self._damaged(name, str(error)) from error

    def _damaged(self, name: str, how: str) -> Fault:
        text = f"{self._url}: the encoded body is damaged: {name}: {how}"
        return Fault(FetchStatus.TRUNCATED, text, again=True)


def too_large(url: str, found: str, max_bytes: int) -> Fault:
    """Return the fault of a body over the cap; ``found`` describes its size."""
    return Fault(FetchStatus.TOO_LARGE, f"{url}: {found}; the cap is {max_bytes} bytes")


class _Coding(Protocol):
    """Undoes one coding; a body of no bytes is complete."""

    is_complete: bool

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yield what some bytes unpack to, in pieces of a bounded size."""


class _Inflate:
    """gzip, zlib or raw deflate: the first bytes say which, whatever the header says.

    Args:
        may_be_raw: what is neither gzip nor zlib is raw deflate.
    """

    def __init__(self, *, may_be_raw: bool) -> None:
        self._may_be_raw = may_be_raw
        self._begin = b""
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self.is_complete = True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._stream is None:
                packed = self._next_member(packed)
                continue
            piece = self._stream.decompress(packed, _PIECE)
            packed = self._stream.unconsumed_tail
            if piece:
                yield piece
            if self._stream.eof:
                packed, self._stream = self._stream.unused_data, None
                self._members += 1
                self.is_complete = True

    def _next_member(self, packed: bytes) -> bytes:
        """Open the next member; return its bytes so far."""
        begin = self._begin + packed
        if self._members:
            # Padding, or what a server appends: browsers ignore it too.
            begin = begin.lstrip(b"\0")
            if not _GZIP.startswith(begin[:2]):
                self._begin = b""
                return b""
        if len(begin) < 2:
            self._begin = begin
            self.is_complete = self._members > 0
            return b""
        wbits = 47  # gzip or zlib
        if self._may_be_raw and begin[:2] != _GZIP and not _is_zlib(begin):
            wbits = -15
        self._begin, self._stream = b"", zlib.decompressobj(wbits=wbits)
        self.is_complete = False
        return begin


def _is_zlib(begin: bytes) -> bool:
    return begin[0] & 15 == 8 and int.from_bytes(begin[:2], "big") % 31 == 0


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.is_complete = True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while not self._stream.is_finished():
            piece = self._stream.process(packed, output_buffer_limit=_PIECE)
            packed = b""
            if piece:
                yield piece
            elif self._stream.can_accept_more_data():
                break
        self.is_complete = self._stream.is_finished()


class _Zstd:
    def __init__(self) -> None:
        self._frame = zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
        self.is_complete = True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        self.is_complete = False
        while True:
            piece = self._frame.decompress(packed, _PIECE)
            packed = b""
            if piece:
                yield piece
            if self._frame.eof:
                packed = self._frame.unused_data
                self._frame = zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
                if not packed:
                    self.is_complete = True
                    return
            elif self._frame.needs_input:
                return


#: Codings of the IANA registry (June 2025) that are not in `_CODINGS`.
_OTHERS = frozenset(
    {"aes128gcm", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"}
)
_CODINGS: Mapping[str, Callable[[], _Coding]] = {
    "gzip": lambda: _Inflate(may_be_raw=False),
    "x-gzip": lambda: _Inflate(may_be_raw=False),
    "deflate": lambda: _Inflate(may_be_raw=True),
    "br": _Brotli,
    "zstd": _Zstd,
}
