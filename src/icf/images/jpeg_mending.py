"""JPEG files that are whole, and of which libjpeg warns nevertheless.

Stray bytes before a marker, an end marker that is missing, and header fields without a
meaning change no pixel: every viewer shows such a picture. Damaged pixels cause some of
the same warnings, so that each file is mended and decoded again, without a warning.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from icf.images.jpeg import MARKER, START_OF_FRAME, segment_length

#: Decodes strictly a file, at the smallest scale with a least side, or at 0 whole:
#: returns pixels, or raises ValueError with libjpeg's first warning.
Decode = Callable[[bytes, int], NDArray[np.uint8]]

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_SEQUENTIAL = (0xC0, 0xC1)
_ARITHMETIC = (0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_APP0, _APP14, _APP15, _COMMENT = 0xE0, 0xEE, 0xEF, 0xFE
_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_ADOBE = b"Adobe"
_COEFFICIENTS = 64

_MENDABLE = re.compile(
    "extraneous bytes|Premature end of JPEG|unknown JFIF|Unknown Adobe|bad ICC"
    "|Invalid SOS parameters for sequential"
)
_STRAY = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_NOT_STRAY = re.compile("premature end of data|bad Huffman")
#: Bytes that libjpeg may have read ahead, and not counted as stray; FF is two bytes.
_READ_AHEAD = 24
#: Stray bytes of any value. More are what damaged pixels leave over, unless they are
#: filling or text.
_MOST_STRAY = 16
#: Bytes of one value before stray bytes of that value: a part that was never written.
_UNWRITTEN = 4
_MOST_MENDS = 4


class _Piece(NamedTuple):
    """A segment, and the coded pixels that follow it if it starts a scan.

    Attributes:
        marker: its second byte.
        content: offsets behind its length.
        coded: offsets of the coded pixels; empty for other segments.
    """

    marker: int
    content: slice
    coded: slice


def mended(data: bytes, warning: str, decode: Decode) -> bytes | None:
    """Return the picture as it should have been written; None if it is damaged.

    Args:
        data: the file.
        warning: what ``decode`` says of it.
        decode: decodes strictly.
    """
    if not _MENDABLE.search(warning):
        return None
    file: bytes | None = _canonical(data)
    for _ in range(_MOST_MENDS):
        if file is None or (found := _warning(file, decode)) is None:
            return file
        file = _without_stray_bytes(file, found, decode)
    return None


def _warning(data: bytes, decode: Decode) -> str | None:
    try:
        decode(data, 1)
    except ValueError as error:
        return str(error)
    return None


def _pieces(data: bytes) -> Iterator[_Piece]:
    """Yield the segments up to the end of the picture, without what is between them."""
    place = 2
    while (found := MARKER.search(data, place)) is not None:
        marker, start = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            yield _Piece(marker, slice(start, start), slice(start, start))
            return
        place = start + segment_length(data, start)
        end = place
        if marker == _START_OF_SCAN:
            following = MARKER.search(data, place)
            end = len(data) if following is None else following.start()
        yield _Piece(marker, slice(start + 2, place), slice(place, end))
        place = end


def _canonical(data: bytes) -> bytes | None:
    """Return only the segments that pixels depend on, with fields that have a meaning.

    None if the end marker is missing, and some of the scans with it.
    """
    pieces = list(_pieces(data))
    frames = [piece for piece in pieces if piece.marker in START_OF_FRAME]
    if not frames or frames[0].marker in _ARITHMETIC:
        return None
    frame = data[frames[0].content]
    sequential = frames[0].marker in _SEQUENTIAL
    out = [_SOI]
    for piece in pieces:
        content = data[piece.content]
        if piece.marker == _END_OF_IMAGE:
            return b"".join([*out, _EOI])
        if piece.marker == _START_OF_SCAN and sequential:
            content = content[:-3] + bytes((0, _COEFFICIENTS - 1, 0))
        out += [_segment(piece.marker, content, frame[5:6]), data[piece.coded]]
    if not _has_all_scans(frame, pieces, data):
        return None
    return b"".join(out).removesuffix(b"\xff") + _EOI


def _segment(marker: int, content: bytes, components: bytes) -> bytes:
    """Return a segment; what says how colours are coded is kept of APPn."""
    if marker == _APP0:
        return _JFIF if content.startswith(b"JFIF") else b""
    if marker == _APP14 and content.startswith(_ADOBE) and len(content) >= 12:
        transformed = b"\x02" if components == b"\x04" else b"\x01"
        content = content[:11] + (transformed if content[11] else b"\0")
    elif _APP0 < marker <= _APP15 or marker == _COMMENT:
        return b""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _has_all_scans(frame: bytes, pieces: list[_Piece], data: bytes) -> bool:
    """Return whether the scans code every bit of every coefficient (T.81, G.1.1)."""
    components = frame[6::3][: frame[5]]
    missing = {one: np.full(_COEFFICIENTS, 1) for one in components}
    for piece in pieces:
        if piece.marker != _START_OF_SCAN:
            continue
        scan = data[piece.content]
        if len(scan) < 4:
            return False
        first, last, bits = scan[-3:]
        for component in scan[1 : 1 + 2 * scan[0] : 2]:
            if component in missing:
                missing[component][first : last + 1] = bits & 15
    return not any(left.any() for left in missing.values())


def _without_stray_bytes(data: bytes, warning: str, decode: Decode) -> bytes | None:
    """Remove what is between the coded pixels and a marker; None if it is of them."""
    found = _STRAY.search(warning)
    if found is None:
        return None
    count, marker = int(found[1]), int(found[2], 16)
    pieces = list(_pieces(data))
    scans = [piece.coded for piece in pieces if piece.marker == _START_OF_SCAN]
    for coded in scans:
        if data[coded.stop + 1] != marker or coded.stop - count <= coded.start:
            continue
        end = _end_of_pixels(data, coded.stop - count, coded, decode)
        if end is None:
            continue
        stray = data[end : coded.stop]
        few = len(stray) <= _MOST_STRAY or _is_filling(stray)
        # In a progressive scan, the last bits may change no pixel.
        padded = len(scans) > 1 or _is_padded(data, end, coded, decode)
        if not few or not padded or _is_unwritten(data, end, stray):
            return None
        return data[:end] + data[coded.stop :]
    return None


def _end_of_pixels(data: bytes, end: int, coded: slice, decode: Decode) -> int | None:
    """Return the least end of coded pixels with which all of them can be decoded."""

    def is_enough(stop: int) -> bool:
        warning = _warning(data[:stop] + data[coded.stop :], decode)
        return warning is None or not _NOT_STRAY.search(warning)

    if not is_enough(end):
        return None
    stops = range(max(coded.start + 1, end - _READ_AHEAD), end)
    return bisect.bisect_left([*stops, end], True, key=is_enough) + stops.start


def _is_padded(data: bytes, end: int, coded: slice, decode: Decode) -> bool:
    """Return whether the bits that the last pixel left over are ones (T.81, F.1.2.3).

    After damage, the decoder ends at any bit; after a whole picture, before a padding
    of ones. So the lowest zero of the last byte must be a bit of the picture.
    """
    last = data[end - 1]
    if last == 0xFF or (last == 0 and data[end - 2] == 0xFF):
        return True  # a byte of ones, and what escapes it
    try:
        pixels = decode(data[:end] + data[coded.stop :], 0)
    except ValueError:
        return False  # of another scan
    for bit in range((~last & (last + 1)).bit_length()):
        changed = bytes((last ^ (1 << bit),)).replace(b"\xff", b"\xff\0")
        try:
            other = decode(data[: end - 1] + changed + data[coded.stop :], 0)
        except ValueError:
            return True
        if not np.array_equal(other, pixels):
            return True
    return False


def _is_unwritten(data: bytes, end: int, stray: bytes) -> bool:
    """Return whether stray bytes continue a run of one value, as in a half copy."""
    return data[end - _UNWRITTEN : end] == stray[:1] * _UNWRITTEN


def _is_filling(stray: bytes) -> bool:
    """Return whether bytes are one value, or text: never coded pixels."""
    return len(set(stray)) == 1 or (stray.isascii() and stray.decode().isprintable())
