"""Every pair of 64-bit hashes that differ in few bits, without comparing all with all.

A hash is cut into four bands of 16 bits. Two hashes that differ in ``r`` bits differ in
``r // 4`` bits or fewer within one band at least, so it is enough to look where a band
is equal but for that many bits. Nothing within the radius is missed: the search is
exact. At a million random hashes and radius 7 one of a thousand pairs is looked at.

Multi-index hashing: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with
Multi-Index Hashing", CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.uint64]
Pairs = tuple[IntArray, IntArray]

BANDS, BITS = 4, 16

#: With a greater radius so many buckets are looked into that bands save nothing.
LARGEST_RADIUS = 11

#: Pairs that are compared at a time: what they take stays in the processor's cache.
_AT_ONCE = 1 << 18


class HashBands:
    """Hashes that are ready to be searched.

    Args:
        hashes: signed 64-bit integers of shape (n,). Collapse equal ones before: each
            of ``k`` equal hashes is compared with the ``k - 1`` others.

    Example:
        >>> rows, others = HashBands(np.array([0b0000, 0b0111, -1])).pairs(3)
        >>> rows.tolist(), others.tolist()
        ([0], [1])
    """

    def __init__(self, hashes: IntArray) -> None:
        self._bands = tuple(_Band.of(hashes, number) for number in range(BANDS))

    def pairs(self, radius: int) -> Pairs:
        """Return every pair of rows within ``radius`` bits of each other, once.

        Args:
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Two arrays of rows, in order; of each pair the first is the smaller.
        """
        found = [_EMPTY]
        for band in self._bands:
            for places, others in _near_in(band, radius):
                rows = band.order[places], band.order[others]
                found.append((np.minimum(*rows), np.maximum(*rows)))
        return _once(found)

    def near(self, hashes: IntArray, radius: int) -> Pairs:
        """Return every row of ``hashes`` with each of ours within ``radius`` bits.

        What it costs grows with the new hashes; ours are sorted already.

        Args:
            hashes: signed 64-bit integers of shape (m,).
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Rows of ``hashes`` and rows of ours, each pair once, in order.
        """
        return _once([_EMPTY, *self.near_in_parts(hashes, radius)])

    def near_in_parts(self, hashes: IntArray, radius: int) -> Iterator[Pairs]:
        """Yield what `near` returns, a little at a time; a pair may come again."""
        words = _words(hashes)
        every = np.arange(len(words))
        for band in self._bands:
            keys = band.keys_of(words)
            for flip in (0, *_flips(radius)):
                spans = _Spans(every, *band.bucket(keys ^ flip))
                for rows, places in _within(words, band.words, spans, radius):
                    yield rows, band.order[places]


def looked_into(radius: int) -> int:
    """Return into how many buckets of each band one hash makes a search look.

    >>> looked_into(3), looked_into(7), looked_into(11)
    (1, 17, 137)
    """
    return 1 + len(_flips(radius))


def crowding(hashes: IntArray) -> float:
    """Return how likely two of the hashes share a band, summed over the bands.

    Random hashes give 4 / 65,536; drawings on a white ground give much more.
    """
    shared = 0.0
    for number in range(BANDS):
        sizes = np.bincount(_band_keys(_words(hashes), number), minlength=1 << BITS)
        shared += float(np.square(sizes / len(hashes)).sum())
    return shared


@dataclass(frozen=True, eq=False)
class _Band:
    """Hashes sorted by one of their bands.

    Attributes:
        number: which band, from 0 at the lowest bits.
        order: row of each place.
        words: hash of each place.
        starts: first place of each key, and the number of places.
    """

    number: int
    order: IntArray
    words: WordArray
    starts: IntArray

    @classmethod
    def of(cls, hashes: IntArray, number: int) -> _Band:
        words = _words(hashes)
        keys = _band_keys(words, number)
        order = np.argsort(keys, kind="stable")
        starts = np.searchsorted(keys[order], np.arange((1 << BITS) + 1))
        return cls(number, order, words[order], starts)

    def keys_of(self, words: WordArray) -> IntArray:
        return _band_keys(words, self.number)

    def bucket(self, keys: IntArray) -> tuple[IntArray, IntArray]:
        """The first place of each key, and the place after its last."""
        return self.starts[keys], self.starts[keys + 1]


@dataclass(frozen=True, eq=False)
class _Spans:
    """What is to be compared: each row with all places from begin to end."""

    rows: IntArray
    begin: IntArray
    end: IntArray

    def parts(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield rows and places, pair by pair, about `_AT_ONCE` pairs at a time."""
        sizes = self.end - self.begin
        done = np.cumsum(sizes)
        total = int(done[-1]) if len(done) else 0
        cuts = np.searchsorted(done, np.arange(_AT_ONCE, total + _AT_ONCE, _AT_ONCE))
        low = 0
        for cut in cuts.tolist():
            part = slice(low, cut + 1)
            low = cut + 1
            counts = sizes[part]
            ends = np.cumsum(counts)
            if len(ends) and ends[-1]:
                skipped = np.repeat(self.begin[part] - ends + counts, counts)
                skipped += np.arange(len(skipped))
                yield np.repeat(self.rows[part], counts), skipped


def _near_in(band: _Band, radius: int) -> Iterator[Pairs]:
    """Places of one band that are within reach of each other."""
    places = np.arange(len(band.words))
    keys = band.keys_of(band.words)
    # Within a bucket each place is compared with those behind it; two buckets are
    # compared from the one whose lowest flipped bit is clear.
    yield from _within(
        band.words, band.words, _Spans(places, places + 1, band.bucket(keys)[1]), radius
    )
    for flip in _flips(radius):
        mine = np.flatnonzero(keys & flip & -flip == 0)
        spans = _Spans(mine, *band.bucket(keys[mine] ^ flip))
        yield from _within(band.words, band.words, spans, radius)


def _within(
    words: WordArray, others: WordArray, spans: _Spans, radius: int
) -> Iterator[Pairs]:
    for rows, places in spans.parts():
        differing = words[rows]
        differing ^= others[places]
        close = np.flatnonzero(np.bitwise_count(differing) <= radius)
        if len(close):
            yield rows[close], places[close]


def _flips(radius: int) -> list[int]:
    """Every way in which the nearest band of two hashes may differ, as masks."""
    if not 0 <= radius <= LARGEST_RADIUS:
        raise ValueError(f"radius {radius} is not from 0 to {LARGEST_RADIUS}")
    return [
        sum(1 << bit for bit in bits)
        for count in range(1, radius // BANDS + 1)
        for bits in combinations(range(BITS), count)
    ]


def _words(hashes: IntArray) -> WordArray:
    return np.ascontiguousarray(hashes, np.int64).view(np.uint64)


def _band_keys(words: WordArray, number: int) -> IntArray:
    shifted = words >> np.uint64(BITS * number)
    return (shifted & np.uint64((1 << BITS) - 1)).astype(np.int64)


_EMPTY: Pairs = (np.empty(0, np.int64), np.empty(0, np.int64))


def _once(found: list[Pairs]) -> Pairs:
    rows = np.concatenate([pair[0] for pair in found])
    others = np.concatenate([pair[1] for pair in found])
    both = np.unique(np.stack([rows, others], axis=1), axis=0)
    return both[:, 0], both[:, 1]
