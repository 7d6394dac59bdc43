"""Read JUMBF boxes (ISO/IEC 19566-5), in which C2PA keeps its manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MOST_BOXES = 20_000
_DEEPEST = 16
_HAS_LABEL = 0x02
_DESCRIPTION = 17  # bytes before the label: a UUID and the toggles


class Content(NamedTuple):
    """A content box.

    Attributes:
        label: of the superbox that it lies in; empty without one.
        kind: four bytes, as ``b"cbor"``.
        data: its content.
    """

    label: str
    kind: bytes
    data: bytes


def content_boxes(data: bytes) -> Iterator[Content]:
    """Yield every content box, in order; stop at what is no box.

    Args:
        data: superboxes, one after the other.
    """
    left = [_MOST_BOXES]
    yield from _inside(data, 0, len(data), "", 0, left)


def _inside(
    data: bytes, place: int, end: int, label: str, depth: int, left: list[int]
) -> Iterator[Content]:
    if depth > _DEEPEST:
        return
    for kind, start, stop in boxes(data, place, end):
        left[0] -= 1
        if left[0] < 0:
            return
        if kind == b"jumb":
            name = _label(data, start, stop)
            yield from _inside(data, start, stop, name, depth + 1, left)
        elif kind != b"jumd":
            yield Content(label, kind, data[start:stop])


def boxes(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of each box; stop at what is none.

    They are those of ISO base media files too (ISO/IEC 14496-12, section 4.2).
    """
    while place + 8 <= end:
        size = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        elif size == 0:
            size = end - place
        if size < head or place + size > end:
            return
        yield kind, place + head, place + size
        place += size


def _label(data: bytes, start: int, stop: int) -> str:
    """The label of a superbox, from its description box."""
    for kind, first, last in boxes(data, start, stop):
        described = data[first:last]
        if kind != b"jumd" or len(described) < _DESCRIPTION:
            return ""
        if not described[_DESCRIPTION - 1] & _HAS_LABEL:
            return ""
        text = described[_DESCRIPTION:].partition(b"\0")[0]
        return text.decode("utf-8", errors="replace")
    return ""
