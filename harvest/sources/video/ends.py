"""Whether a video file ends where its container says, read without decoding.

A last picture that is held, or sound longer than the pictures, looks by its times
like a file that was cut. Its bytes tell which it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_RIFF_HEAD, _BOX_HEAD, _TAG_HEAD = 8, 8, 11
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
_GIF_TRAILER = b";"
#: Kinds of FLV tags: sound, pictures, scripts.
_TAGS = (8, 9, 18)


def is_whole(path: Path) -> bool | None:
    """Return whether all the bytes are there that the container announces.

    None where it announces none: then only the times can tell.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(8)
        file.seek(0)
        for place, mark, ends in _KINDS:
            if head[place:].startswith(mark):
                return ends(file, size)
    return None


def is_joined(path: Path) -> bool:
    """Return whether a Matroska file is followed by another one in the same file."""
    with path.open("rb") as file:
        end = _segment_end(file)
        if end is None:
            return False
        file.seek(end)
        return file.read(len(_EBML)) == _EBML


def _boxes_end(file: BinaryIO, size: int) -> bool | None:
    """Return whether the boxes (ISO/IEC 14496-12) fill the file, in one piece."""
    place = 0
    while place + _BOX_HEAD <= size:
        file.seek(place)
        head = file.read(2 * _BOX_HEAD)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if name == b"moof":
            return None  # any number of fragments may follow
        if length == 0:
            return True  # to the end of the file
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < _BOX_HEAD:
            return None
        place += length
    return place <= size


def _riff_ends(file: BinaryIO, size: int) -> bool | None:
    """Return whether the RIFF lists of an AVI fit into the file."""
    place = 0
    while place + _RIFF_HEAD <= size:
        file.seek(place)
        head = file.read(_RIFF_HEAD)
        length = int.from_bytes(head[4:], "little")
        if not head.startswith(b"RIFF"):
            break
        if not length:
            return None  # its writer did not come to the end
        place += _RIFF_HEAD + length + length % 2
    return place <= size + 1 if place else None


def _segment_ends(file: BinaryIO, size: int) -> bool | None:
    """Return whether the segment of a Matroska file fits into the file."""
    end = _segment_end(file)
    return None if end is None else end <= size


def _segment_end(file: BinaryIO) -> int | None:
    """Return where the first segment of a Matroska file ends; None if it is unknown."""
    if file.read(len(_EBML)) != _EBML:
        return None
    length = _vint(file)
    if length is None:
        return None
    file.seek(length, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT:
        return None
    length = _vint(file)
    return None if length is None else file.tell() + length


def _vint(file: BinaryIO) -> int | None:
    """Read the length of an EBML element; None if it is unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(more), "big")
    bits = 7 * (more + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value


def _tags_end(file: BinaryIO, size: int) -> bool | None:
    """Return True if the last tag of an FLV file is there as a whole."""
    file.seek(max(0, size - 4))
    length = int.from_bytes(file.read(4), "big")
    if not _TAG_HEAD <= length <= size - 4:
        return None
    file.seek(size - 4 - length)
    head = file.read(4)
    is_tag = int.from_bytes(head[1:], "big") == length - _TAG_HEAD
    return (head[0] in _TAGS and is_tag) or None


def _trailer_ends(file: BinaryIO, size: int) -> bool | None:
    """Return True if a GIF has its trailer."""
    file.seek(max(0, size - 1))
    return file.read(1) == _GIF_TRAILER or None


_KINDS: tuple[tuple[int, bytes, Callable[[BinaryIO, int], bool | None]], ...] = (
    (4, b"ftyp", _boxes_end),
    (4, b"moov", _boxes_end),
    (4, b"mdat", _boxes_end),
    (4, b"wide", _boxes_end),
    (4, b"free", _boxes_end),
    (0, b"RIFF", _riff_ends),
    (0, _EBML, _segment_ends),
    (0, b"FLV", _tags_end),
    (0, b"GIF8", _trailer_ends),
)
