"""Every pair of 64-bit hashes that differ in few bits, without comparing all with all.

A hash is cut into four bands of 16 bits. Two hashes that differ in ``r`` bits differ in
``r // 4`` bits or fewer within one band at least, so it is enough to look where a band
is equal but for that many bits. Nothing within the radius is missed: the search is
exact. At a million random hashes and radius 7 one of a thousand pairs is looked at.

Multi-index hashing: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with
Multi-Index Hashing", CVPR 2012.

It is NumPy; where the package numba is installed (the extra ``fast``), searches that
are worth it run in a compiled loop (`icf.search.near_hashes_fast`) and find the same.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from icf.search.hash_bands import (
    BANDS,
    BITS,
    Band,
    IntArray,
    Pairs,
    WordArray,
    as_words,
    band_keys,
)

#: With a greater radius so many buckets are looked into that bands save nothing.
LARGEST_RADIUS = 11

#: Pairs that are compared at a time: what they take stays in the processor's cache.
_AT_ONCE = 1 << 18

#: Looking at one candidate of a band costs as much as comparing this many pairs in
#: order, and looking into one bucket as much again for each of so many more queries.
_CANDIDATE_COST, _LOOKUPS = 20, 8192

#: Hashes that are worth the second it takes to load the compiled loop.
_WORTH_COMPILED = 20_000


class HashBands:
    """Hashes that are ready to be searched.

    Args:
        hashes: signed 64-bit integers of shape (n,). Collapse equal ones before: each
            of ``k`` equal hashes is compared with the ``k - 1`` others.
        compiled: whether to use the compiled loop; None uses it where it is installed
            and worth loading.

    Example:
        >>> rows, others = HashBands(np.array([0b0000, 0b0111, -1])).pairs(3)
        >>> rows.tolist(), others.tolist()
        ([0], [1])
    """

    def __init__(self, hashes: IntArray, *, compiled: bool | None = None) -> None:
        self._bands = tuple(Band.of(hashes, number) for number in range(BANDS))
        self._search = _chosen(len(hashes), compiled)

    @classmethod
    def of_bands(
        cls, bands: tuple[Band, ...], *, compiled: bool | None = None
    ) -> HashBands:
        """Hashes that were sorted before, by each of the bands."""
        made = cls.__new__(cls)
        made._bands = bands
        made._search = _chosen(len(bands[0].words), compiled)
        return made

    def pairs(self, radius: int) -> Pairs:
        """Return every pair of rows within ``radius`` bits of each other, once.

        Args:
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Two arrays of rows, in order; of each pair the first is the smaller.
        """
        return _in_order(self.pairs_in_parts(radius))

    def pairs_in_parts(self, radius: int) -> Iterator[Pairs]:
        """Yield what `pairs` returns, a little at a time and in no order."""
        flips = _flips(radius)
        for band in self._bands:
            for places, others in self._search(band.words, band, flips, radius, True):
                rows = band.order[places], band.order[others]
                yield np.minimum(*rows), np.maximum(*rows)

    def near(self, hashes: IntArray, radius: int) -> Pairs:
        """Return every row of ``hashes`` with each of ours within ``radius`` bits.

        What it costs grows with the new hashes; ours are sorted already.

        Args:
            hashes: signed 64-bit integers of shape (m,).
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Rows of ``hashes`` and rows of ours, each pair once, in order.
        """
        return _in_order(self.near_in_parts(hashes, radius))

    def near_in_parts(self, hashes: IntArray, radius: int) -> Iterator[Pairs]:
        """Yield what `near` returns, a little at a time and in no order."""
        words = as_words(hashes)
        flips = _flips(radius)
        for band in self._bands:
            for rows, places in self._search(words, band, flips, radius, False):
                yield rows, band.order[places]


def near_in_parts(hashes: IntArray, others: IntArray, radius: int) -> Iterator[Pairs]:
    """Yield all rows of both that are within reach, in the way that costs less.

    Args:
        hashes: signed 64-bit integers of shape (m,).
        others: signed 64-bit integers of shape (n,).
        radius: bits, from 0 to 64.

    Yields:
        Rows of ``hashes`` and rows of ``others``, each pair once, in no order.
    """
    if bands_pay(others, len(hashes), radius):
        yield from HashBands(others).near_in_parts(hashes, radius)
    else:
        yield from _one_by_one(as_words(hashes), as_words(others), radius)


def bands_pay(hashes: IntArray, queries: int, radius: int) -> bool:
    """Tell whether bands leave few enough candidates to be the cheaper way.

    Args:
        hashes: what would be sorted into bands.
        queries: how many would be looked up.
        radius: bits, from 0 to 64.
    """
    if not queries or not len(hashes) or radius > LARGEST_RADIUS:
        return False
    buckets = looked_into(radius)
    candidates = buckets * crowding(hashes) * len(hashes) * queries
    lookups = BANDS * buckets * (queries + _LOOKUPS)
    return _CANDIDATE_COST * (candidates + lookups) < len(hashes) * queries


def looked_into(radius: int) -> int:
    """Return into how many buckets of each band one hash makes a search look.

    >>> looked_into(3), looked_into(7), looked_into(11)
    (1, 17, 137)
    """
    return len(_flips(radius))


def crowding(hashes: IntArray) -> float:
    """Return how likely two of the hashes share a band, summed over the bands.

    Random hashes give 4 / 65,536; drawings on a white ground give much more.
    """
    shared = 0.0
    for number in range(BANDS):
        sizes = np.bincount(band_keys(as_words(hashes), number), minlength=1 << BITS)
        shared += float(np.square(sizes / len(hashes)).sum())
    return shared


@functools.cache
def has_compiled_loop() -> bool:
    """Tell whether the extra ``fast`` is installed."""
    return importlib.util.find_spec("numba") is not None


def _chosen(hashes: int, compiled: bool | None) -> Search:
    if compiled is None:
        compiled = hashes >= _WORTH_COMPILED and has_compiled_loop()
    return _compiled_loop() if compiled else _search


def _compiled_loop() -> Search:
    # Only here: numba takes a second to load.
    from icf.search.near_hashes_fast import search

    return search


#: Finds the rows of queries and the places of a band that are within a radius. The
#: last argument says that the queries are the band's own words: then each pair is
#: found once, and none with itself. A pair that several bands would find is left to
#: the first of them.
Search = Callable[[WordArray, Band, IntArray, int, bool], Iterator[Pairs]]


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


def _search(
    queries: WordArray, band: Band, flips: IntArray, radius: int, itself: bool
) -> Iterator[Pairs]:
    keys = band_keys(queries, band.number).astype(np.int64)
    every = np.arange(len(queries))
    for flip in flips.tolist():
        rows = every
        if itself and flip:
            # Two buckets are compared from the one whose lowest flipped bit is clear.
            rows = np.flatnonzero(keys & flip & -flip == 0)
        begin, end = band.bucket(keys[rows] ^ flip)
        if itself and not flip:
            # Within a bucket each place is compared with those behind it.
            begin = every + 1
        for some, places in _Spans(rows, begin, end).parts():
            differing = queries[some]
            differing ^= band.words[places]
            close = np.flatnonzero(np.bitwise_count(differing) <= radius)
            close = close[_is_first(differing[close], band.number, radius)]
            if len(close):
                yield some[close], places[close]


def _is_first(differing: WordArray, number: int, radius: int) -> npt.NDArray[np.bool_]:
    """Tell which pairs no earlier band finds."""
    first = np.ones(len(differing), np.bool_)
    for earlier in range(number):
        first &= np.bitwise_count(band_keys(differing, earlier)) > radius // BANDS
    return first


def _one_by_one(words: WordArray, others: WordArray, radius: int) -> Iterator[Pairs]:
    together = max(1, _AT_ONCE // max(1, len(others)))
    for start in range(0, len(words), together):
        differing = words[start : start + together, None] ^ others
        rows, columns = np.nonzero(np.bitwise_count(differing) <= radius)
        if len(rows):
            yield rows + start, columns


@functools.cache
def _flips(radius: int) -> IntArray:
    """Every way in which the nearest band of two hashes may differ, as masks."""
    if not 0 <= radius <= LARGEST_RADIUS:
        raise ValueError(f"radius {radius} is not from 0 to {LARGEST_RADIUS}")
    masks = [
        sum(1 << bit for bit in bits)
        for count in range(radius // BANDS + 1)
        for bits in combinations(range(BITS), count)
    ]
    return np.array(masks, np.int64)


_EMPTY: Pairs = (np.empty(0, np.int64), np.empty(0, np.int64))


def _in_order(parts: Iterator[Pairs]) -> Pairs:
    found = [_EMPTY, *parts]
    rows = np.concatenate([pair[0] for pair in found])
    others = np.concatenate([pair[1] for pair in found])
    order = np.lexsort((others, rows))
    return rows[order], others[order]
