"""The structure of PNG files (PNG, third edition, section 5), read without decoding."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Chunks that are not critical, and are passed on: the others (text, colour profiles,
#: times) change no pixel, and can unpack to any size.
_KEPT = frozenset({b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
#: Type of colours: grey, without alpha.
_GREY = 0
#: Bytes of a chunk with the number of frames.
_ACTL = 20
_END = b"IEND"
_END_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"


class _Chunk(NamedTuple):
    name: bytes
    start: int
    end: int


def size(data: bytes) -> tuple[int, int] | None:
    """Read width and height out of the header; None if the file has none."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def grey_depth(data: bytes) -> int | None:
    """Return the bits of a grey value of a file with a header; None without greys."""
    depth, colours = data[24:26]
    return depth if colours == _GREY else None


def find_end(data: bytes) -> int | None:
    """Find the offset after the last chunk; None without one."""
    for chunk in chunks(data):
        if chunk.name == _END:
            return chunk.end
    return None


def essential(data: bytes) -> bytes:
    """Return the file with only the chunks that pixels and their rotation depend on.

    As in every viewer, other chunks may be damaged, or as large as they like. A last
    chunk that is missing is added; whether all pixels are there is for the decoder.
    """
    kept, place, name = [SIGNATURE], len(SIGNATURE), b""
    for name, start, place in chunks(data):
        critical = not name[0] & 0x20
        if critical or (name in _KEPT and _is_intact(name, data[start:place])):
            kept.append(data[start:place])
    if name != _END:
        kept.append(data[place:] or _END_CHUNK)
    return b"".join(kept)


def chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the last one, or up to one that is cut."""
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        name, end = data[place + 4 : place + 8], place + 12 + length
        if end > len(data):
            return
        yield _Chunk(name, place, end)
        if name == _END:
            return
        place = end


def _is_intact(name: bytes, chunk: bytes) -> bool:
    """Return whether a chunk has the checksum that it states, and can be read."""
    if name == b"acTL" and len(chunk) != _ACTL:
        return False
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
