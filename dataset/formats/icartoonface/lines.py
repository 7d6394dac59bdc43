"""Compare the lines of a list with the rows they should be, by what they are about."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Aligned:
    """How a list differs from what it should be.

    Attributes:
        pairs: place in the list and row, of what is in both, in the list's order.
        added: places of what is in no row.
        repeated: places of what came before.
        missing: rows that no line has.
        moved: places of the fewest lines without which the others are in order.
    """

    pairs: Sequence[tuple[int, int]]
    added: Sequence[int]
    repeated: Sequence[int]
    missing: Sequence[int]
    moved: frozenset[int]


def align(listed: Sequence[str], meant: Sequence[str]) -> Aligned:
    """Align two lists by their keys, in O(n log n).

    Args:
        listed: the key of each line.
        meant: the key of each row, each once.

    >>> found = align(["a", "c", "c", "x"], ["a", "b", "c"])
    >>> found.pairs, found.added, found.repeated, found.missing
    ([(0, 0), (1, 2)], [3], [2], [1])
    """
    rows = {key: row for row, key in enumerate(meant)}
    seen = bytearray(len(meant))
    pairs: list[tuple[int, int]] = []
    added: list[int] = []
    repeated: list[int] = []
    for place, key in enumerate(listed):
        row = rows.get(key)
        if row is None:
            added.append(place)
        elif seen[row]:
            repeated.append(place)
        else:
            seen[row] = True
            pairs.append((place, row))
    missing = [row for row in range(len(meant)) if not seen[row]]
    stay = set(_longest_rise([row for _, row in pairs]))
    moved = frozenset(place for at, (place, _) in enumerate(pairs) if at not in stay)
    return Aligned(pairs, added, repeated, missing, moved)


def _longest_rise(values: Sequence[int]) -> Iterator[int]:
    """Yield the places of a longest increasing part, last first (patience sorting)."""
    ends: list[int] = []  # of the rises of each length, the lowest last value
    place_of: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        length = bisect_right(ends, value)
        before.append(place_of[length - 1] if length else -1)
        ends[length : length + 1] = [value]
        place_of[length : length + 1] = [place]
    place = place_of[-1] if place_of else -1
    while place >= 0:
        yield place
        place = before[place]
