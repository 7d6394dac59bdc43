"""MXNet's RecordIO with picture headers, read and written without MXNet.

A file of records, each (dmlc-core, ``recordio.h``; little-endian)::

    uint32  0xced7230a
    uint32  its part (upper 3 bits) and its length in bytes (lower 29)
    bytes   padded to a multiple of 4

A record that contains the number at a multiple of 4 is divided there, into a first
part (1), middle ones (2) and a last one (3); a whole record is part 0. The bytes of a
picture's record are (mxnet, ``recordio.py``, ``IRHeader``)::

    uint32  flag: how many labels follow the header; 0: one, in the header
    float32 label
    uint64  id, uint64 id2
    float32 x flag
    bytes   the picture
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from icf.errors import BadInput

MAGIC = 0xCED7230A

_FRAME = struct.Struct("<II")
_HEADER = struct.Struct("<IfQQ")
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
#: More labels than any record has; a larger number is damage.
_MOST_LABELS = 1 << 16
#: Of a file; an offset beyond is damage.
_MOST_BYTES = 1 << 62


@dataclass(frozen=True)
class RecordHeader:
    """What a record says about its picture.

    Attributes:
        labels: one or more numbers.
        id: of the record, as its writer gave it.
        size: bytes of the picture behind the header; at least, where a record is in
            several parts.
    """

    labels: tuple[float, ...]
    id: int
    size: int


def read_header(file: BinaryIO, offset: int) -> RecordHeader:
    """Read the header of the record at an offset; its picture is not read.

    Raises:
        BadInput: there is no whole record; the message is a sentence's end.
    """
    part, length = _frame(file, offset)
    if part not in (_WHOLE, _FIRST):
        raise BadInput("a part of a record where one should begin")
    labels, number, before = _parsed(file.read(min(length, _HEADER.size)), file)
    if length < before:
        raise BadInput("a record that is shorter than its header")
    file.seek(offset + _FRAME.size + length - 1)
    if not file.read(1):
        raise BadInput("a truncated record")
    return RecordHeader(labels, number, length - before)


def read_picture(file: BinaryIO, offset: int) -> bytes:
    """Return the bytes of the picture in the record at an offset.

    Raises:
        BadInput: there is no whole record; the message is a sentence's end.
    """
    record = b"".join(_parts(file, offset))
    if len(record) < _HEADER.size:
        raise BadInput("a record that is shorter than its header")
    (flag, *_) = _HEADER.unpack_from(record)
    start = _HEADER.size + 4 * flag
    if len(record) < start:
        raise BadInput("a record that is shorter than its header")
    return record[start:]


def record_of(labels: Sequence[float], number: int, picture: bytes) -> bytes:
    """Return the bytes of a record, as `read_header` and `read_picture` read it.

    Args:
        labels: one, or the two of a record that is no picture.
        number: of the record.
        picture: its bytes; empty where it is none.
    """
    flag, label = (0, labels[0]) if len(labels) == 1 else (len(labels), 0.0)
    more = struct.pack(f"<{flag}f", *labels) if flag else b""
    content = _HEADER.pack(flag, label, number, 0) + more + picture
    parts = _divided(content)
    last = len(parts) - 1
    framed = bytearray()
    for place, part in enumerate(parts):
        kind = _WHOLE if not last else _FIRST if not place else _MIDDLE
        kind = _LAST if last and place == last else kind
        framed += _FRAME.pack(MAGIC, kind << _LENGTH_BITS | len(part))
        framed += part + bytes(-len(part) % 4)
    return bytes(framed)


def _divided(content: bytes) -> list[bytes]:
    """Divide a record where it has the magic number at a multiple of 4."""
    mark = MAGIC.to_bytes(4, "little")
    parts, start = [], 0
    place = content.find(mark)
    while place >= 0:
        if place % 4:
            place = content.find(mark, place + 1)
            continue
        parts.append(content[start:place])
        start = place + 4
        place = content.find(mark, start)
    return [*parts, content[start:]]


def _parts(file: BinaryIO, offset: int) -> Iterator[bytes]:
    """Yield what a record is put together from."""
    part = _FIRST
    while part not in (_WHOLE, _LAST):
        is_start = part == _FIRST
        part, length = _frame(file, offset)
        if is_start is (part in (_MIDDLE, _LAST)):
            raise BadInput("parts of a record that do not follow each other")
        if part in (_MIDDLE, _LAST):
            yield MAGIC.to_bytes(4, "little")
        data = file.read(length)
        if len(data) < length:
            raise BadInput("a truncated record")
        yield data
        offset += _FRAME.size + length + -length % 4
        if part == _FIRST:
            part = _MIDDLE


def _frame(file: BinaryIO, offset: int) -> tuple[int, int]:
    """Return part and length of the record at an offset."""
    if not 0 <= offset < _MOST_BYTES:
        raise BadInput("no record where one should begin")
    file.seek(offset)
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        raise BadInput("a truncated record")
    magic, size = _FRAME.unpack(head)
    if magic != MAGIC:
        raise BadInput("no record where one should begin")
    return size >> _LENGTH_BITS, size & ((1 << _LENGTH_BITS) - 1)


def _parsed(head: bytes, file: BinaryIO) -> tuple[tuple[float, ...], int, int]:
    """Return labels, id and size of a header, whose first part was read."""
    if len(head) < _HEADER.size:
        raise BadInput("a truncated record")
    flag, label, number, _ = _HEADER.unpack(head)
    if not flag:
        return (label,), number, _HEADER.size
    if flag > _MOST_LABELS:
        raise BadInput("a header that is none")
    labels = file.read(4 * flag)
    if len(labels) < 4 * flag:
        raise BadInput("a truncated record")
    return struct.unpack(f"<{flag}f", labels), number, _HEADER.size + len(labels)
