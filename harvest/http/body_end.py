"""Where the body of a response ends, told from its head and from its chunks.

Servers write more than that: a page behind a redirect's "Content-Length: 0", a line
behind the last chunk. Browsers ignore it, and parsers of HTTP take it for a broken
response. A picture that is longer than its stated length stays one: what is stated may
be wrong, and half a picture would be stored.
"""

from __future__ import annotations

import re

_CODE = slice(9, 12)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.I)
#: Statuses without a body, whatever their head says.
_BODILESS = (b"204", b"304")
_SIZE = re.compile(rb"[ \t]*([0-9a-f]{1,15})[ \t]*(?:;.*)?", re.I | re.S)
#: Longest line between chunks.
_LONGEST_LINE = 1 << 16


class BodyEnd:
    r"""Takes the bytes behind a head as they come, and tells which are its body's.

    Args:
        head: as `icf.harvest.http.response_head.tidied` returns it.

    >>> end = BodyEnd(b"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\n")
    >>> end.count(b"ab"), end.count(b"cd"), end.count(b"e")
    (2, 1, 0)
    >>> end = BodyEnd(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    >>> end.count(b"2\r\nab\r\n0"), end.count(b"\r\n\r\nmore")
    (8, 4)
    """

    #: Places of line feeds in the last bytes that a parser wants a "\r" before.
    bare: list[int]

    def __init__(self, head: bytes) -> None:
        self.bare = []
        length = _LENGTH.search(head)
        self._is_chunked = False
        #: Bytes until a chunk, or the body, ends; None: until the connection does.
        self._left: int | None = None
        self._line = b""
        self._is_behind_chunk = self._is_trailer = False
        if head[_CODE] in _BODILESS:
            self._left = 0
        elif _CHUNKED.search(head):
            self._is_chunked, self._left = True, 0
        elif length is not None and not head[_CODE].startswith(b"2"):
            self._left = int(length[1])

    def count(self, data: bytes) -> int:
        """Return how many of these bytes are the body's; the others come behind it."""
        self.bare = []
        if self._left is None:
            return len(data)
        if not self._is_chunked:
            own = min(self._left, len(data))
            self._left -= own
            return own
        place = 0
        while place < len(data) and self._is_chunked and self._left is not None:
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
                place += step
            else:
                place = self._after_line(data, place)
        return len(data) if self._left is None else place

    def _after_line(self, data: bytes, place: int) -> int:
        """Read a line between chunks, or as much of it as there is."""
        end = data.find(b"\n", place)
        stop = len(data) if end < 0 else end + 1
        self._line += data[place:stop]
        if len(self._line) > _LONGEST_LINE:
            self._left = None  # no chunks as they should be: the parser says so
        elif end >= 0:
            if not self._line.endswith(b"\r\n"):
                self.bare.append(end)
            line, self._line = self._line.rstrip(b"\r\n"), b""
            self._take(line)
        return stop

    @property
    def lacks(self) -> bytes:
        """What is left to come of an end that is certain: the last chunk was there."""
        is_certain = self._is_chunked and self._is_trailer and self._left == 0
        if not is_certain or self._line.strip():
            return b""
        return b"\n" if self._line else b"\r\n"

    def _take(self, line: bytes) -> None:
        if self._is_trailer:
            # The empty line behind the trailers is the end.
            self._is_chunked = bool(line)
            return
        size = _SIZE.fullmatch(line)
        if self._is_behind_chunk and not line:
            self._is_behind_chunk = False
        elif self._is_behind_chunk or size is None:
            self._left = None
        else:
            self._left = int(size[1], 16)
            self._is_trailer = self._left == 0
            self._is_behind_chunk = not self._is_trailer
