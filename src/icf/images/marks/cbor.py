"""Read CBOR (RFC 8949), as far as C2PA uses it, from bytes that nobody vouches for."""

from __future__ import annotations

import struct
from typing import Any

#: Far more than any assertion about training has.
_MOST_ITEMS = 10_000
_DEEPEST = 32
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_INDEFINITE, _BREAK = 31, object()


class BadCbor(ValueError):
    """The bytes are no CBOR, or more of it than is read."""


def read_cbor(data: bytes) -> Any:
    r"""Return the first item: numbers, text, bytes, lists, dictionaries, None.

    Tags are left out; a key that is no text or number is an error.

    Raises:
        BadCbor: it is none, is cut, nests too deep, or has too many items.

    >>> read_cbor(b"\xa1\x63use\x6anotAllowed")
    {'use': 'notAllowed'}
    """
    return _Reader(data).item(0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._items = 0

    def item(self, depth: int) -> Any:
        value = self._any(depth)
        if value is _BREAK:
            raise BadCbor("an end without a beginning")
        return value

    def _any(self, depth: int) -> Any:
        self._items += 1
        if depth > _DEEPEST or self._items > _MOST_ITEMS:
            raise BadCbor("nested too deep, or too many items")
        first = self._take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == 7:
            return self._simple(info)
        if info == _INDEFINITE:
            return self._indefinite(kind, depth)
        size = self._argument(info)
        if kind == 0:
            return size
        if kind == 1:
            return -1 - size
        if kind in (2, 3):
            return _text(kind, self._take(size))
        if kind == 4:
            return [self.item(depth + 1) for _ in range(self._plausible(size))]
        if kind == 5:
            return dict(self._pair(depth) for _ in range(self._plausible(size)))
        return self.item(depth + 1)  # a tag; what it tags follows

    def _indefinite(self, kind: int, depth: int) -> Any:
        if kind == 5:
            pairs = []
            while (key := self._any(depth + 1)) is not _BREAK:
                pairs.append((_key(key), self.item(depth + 1)))
            return dict(pairs)
        if kind not in (2, 3, 4):
            raise BadCbor(f"no end for an item of kind {kind}")
        parts = []
        while (part := self._any(depth + 1)) is not _BREAK:
            parts.append(part)
        if kind == 4:
            return parts
        whole = b"" if kind == 2 else ""
        if not all(isinstance(part, type(whole)) for part in parts):
            raise BadCbor("a text with a part that is none")
        return whole.join(parts)

    def _pair(self, depth: int) -> tuple[str | int, Any]:
        return _key(self.item(depth + 1)), self.item(depth + 1)

    def _simple(self, info: int) -> Any:
        if info == _INDEFINITE:
            return _BREAK
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self._take(_SIZES[info]))[0]
        if info == 24:
            info = self._take(1)[0]
        return _SIMPLE.get(info)

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info not in _SIZES:
            raise BadCbor(f"a length of kind {info}")
        return int.from_bytes(self._take(_SIZES[info]), "big")

    def _plausible(self, count: int) -> int:
        if count > len(self._data) - self._place:
            raise BadCbor("more items than bytes")
        return count

    def _take(self, size: int) -> bytes:
        end = self._place + size
        if end > len(self._data):
            raise BadCbor("it is cut")
        taken = self._data[self._place : end]
        self._place = end
        return taken


def _text(kind: int, data: bytes) -> bytes | str:
    return data if kind == 2 else data.decode("utf-8", errors="replace")


def _key(value: Any) -> str | int:
    if not isinstance(value, (str, int)):
        raise BadCbor("a key that is neither text nor number")
    return value
