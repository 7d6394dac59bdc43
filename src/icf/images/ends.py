"""Whether a picture's file is shorter than its own structure says.

Decoders call what they miss by many names. This is asked after one of them has failed.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_BOX_HEAD = 8
_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
#: Tags of a TIFF with the offsets and the sizes of its strips, or of its tiles.
_STRIPS, _TILES = (273, 279), (324, 325)
#: How numbers of a type are stored: 16, 32 and 64 bits.
_NUMBERS = {3: "H", 4: "I", 16: "Q"}
#: Bytes of one value of each type, if more than one.
_BYTES = {3: 2, 8: 2, **dict.fromkeys((4, 9, 11, 13), 4)}
_BYTES |= dict.fromkeys((5, 10, 12, 16, 17, 18), 8)
_BIG = 43


class _Layout(NamedTuple):
    """Where a TIFF has what; letters are those of `struct`."""

    first: int
    offset: str
    entries: str
    entry: int


_CLASSIC, _BIG_TIFF = _Layout(4, "I", "H", 12), _Layout(8, "Q", "Q", 20)


def ends_early(data: bytes) -> bool:
    r"""Return whether a WebP, AVIF, HEIF or TIFF file ends before its picture does.

    >>> ends_early(b"RIFF\x24\0\0\0WEBPVP8 ")
    True
    """
    if data[:4] == b"RIFF":
        return riff_size(data) > len(data)
    if data[4:8] == b"ftyp":
        return _boxes_end_early(data)
    order = _BYTE_ORDERS.get(data[:2])
    if order is None:
        return False
    try:
        return _strips_end_early(data, order)
    except (struct.error, OverflowError):
        return True  # its directory is elsewhere, or cut


def riff_size(data: bytes) -> int:
    """Return the size of a RIFF file as its header says."""
    return 8 + int.from_bytes(data[4:8], "little")


def _boxes_end_early(data: bytes) -> bool:
    """As `ends_early`, of the boxes of ISO/IEC 14496-12."""
    place = 0
    while place < len(data):
        head = data[place : place + 2 * _BOX_HEAD]
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if size == 0 and len(head) >= _BOX_HEAD:
            return False  # up to the end of the file
        place += max(size, _BOX_HEAD)
    return place > len(data)


def _strips_end_early(data: bytes, order: str) -> bool:
    """As `ends_early`, of the first picture of a TIFF.

    Raises:
        struct.error, OverflowError: its directory is not there.
    """
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    layout = _BIG_TIFF if version == _BIG else _CLASSIC
    (directory,) = struct.unpack_from(order + layout.offset, data, layout.first)
    (entries,) = struct.unpack_from(order + layout.entries, data, directory)
    directory += struct.calcsize(layout.entries)
    width = struct.calcsize(layout.offset)
    found: dict[int, tuple[int, ...]] = {}
    for place in range(directory, directory + entries * layout.entry, layout.entry):
        entry = f"{order}HH{layout.offset}"
        tag, kind, count = struct.unpack_from(entry, data, place)
        place += struct.calcsize(entry)
        if count * _BYTES.get(kind, 1) > width:
            (place,) = struct.unpack_from(order + layout.offset, data, place)
        if place + count * _BYTES.get(kind, 1) > len(data):
            return True
        if tag in _STRIPS + _TILES and kind in _NUMBERS:
            found[tag] = struct.unpack_from(
                f"{order}{count}{_NUMBERS[kind]}", data, place
            )
    return any(
        start + size > len(data)
        for starts, sizes in (_STRIPS, _TILES)
        for start, size in zip(
            found.get(starts, ()), found.get(sizes, ()), strict=False
        )
    )
