"""Find all pairs of 64-bit hashes that differ in few bits, without comparing all pairs.

A hash is split into four bands of 16 bits. Two hashes that differ in ``r`` bits differ
in ``r // 4`` bits or fewer in at least one band, so it is enough to compare hashes with
such a band. The search is exact: nothing within the radius is missed. With a million
random hashes and radius 7, one of a thousand pairs is compared.

Multi-index hashing: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with
Multi-Index Hashing", CVPR 2012.

It uses NumPy; if numba is installed (the extra ``fast``), a process that searches much
uses a compiled loop (`icf.search.near_hashes_fast`) with the same result.
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

#: With a larger radius so many buckets are searched that bands save nothing.
LARGEST_RADIUS = 11

#: Pairs that are compared at a time, so that they fit into the processor's cache.
_AT_ONCE = 1 << 18

#: Cost of a candidate of a band, in sequential comparisons; and the fixed cost of
#: searching one bucket, in queries.
_CANDIDATE_COST, _LOOKUPS = 20, 8192

#: Comparisons that NumPy makes while the compiled loop is loaded; and how many of them
#: one lookup of a bucket costs.
_WORTH_COMPILED, _LOOKUP_COST = 50_000_000, 2


class HashBands:
    """A search index of hashes.

    Args:
        hashes: signed 64-bit integers of shape (n,). Remove duplicates before: each
            of ``k`` equal hashes is compared with the ``k - 1`` others.
        compiled: whether to use the compiled loop; None: if it is installed, and this
            process searches so much that loading it pays.

    Example:
        >>> rows, others = HashBands(np.array([0b0000, 0b0111, -1])).pairs(3)
        >>> rows.tolist(), others.tolist()
        ([0], [1])
    """

    def __init__(self, hashes: IntArray, *, compiled: bool | None = None) -> None:
        self._bands = tuple(Band.of(hashes, number) for number in range(BANDS))
        self._compiled = compiled

    @classmethod
    def of_bands(cls, bands: tuple[Band, ...]) -> HashBands:
        """Make an index of hashes that are already sorted by each band."""
        made = cls.__new__(cls)
        made._bands = bands
        made._compiled = None
        return made

    def pairs(self, radius: int) -> Pairs:
        """Find every pair of rows within ``radius`` bits, once.

        Args:
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Two sorted arrays of rows; the first of each pair is the smaller.
        """
        return _in_order(self.pairs_in_parts(radius))

    def pairs_in_parts(self, radius: int) -> Iterator[Pairs]:
        """Yield the result of `pairs` in parts, in no order."""
        flips = _flips(radius)
        for band in self._bands:
            search = self._loop(band, len(band.words) // 2, flips)
            for places, others in search(band.words, band, flips, radius, True):
                rows = band.order[places], band.order[others]
                yield np.minimum(*rows), np.maximum(*rows)

    def near(self, hashes: IntArray, radius: int) -> Pairs:
        """Find the indexed hashes within ``radius`` bits of each of ``hashes``.

        The cost depends mainly on the number of new hashes.

        Args:
            hashes: signed 64-bit integers of shape (m,).
            radius: bits, from 0 to `LARGEST_RADIUS`.

        Returns:
            Rows of ``hashes`` and rows of the index, each pair once, sorted.
        """
        return _in_order(self.near_in_parts(hashes, radius))

    def near_in_parts(self, hashes: IntArray, radius: int) -> Iterator[Pairs]:
        """Yield the result of `near` in parts, in no order."""
        words = as_words(hashes)
        flips = _flips(radius)
        for band in self._bands:
            search = self._loop(band, len(words), flips)
            for rows, places in search(words, band, flips, radius, False):
                yield rows, band.order[places]

    def _loop(self, band: Band, queries: int, flips: IntArray) -> Search:
        if self._compiled is None:
            return _loops.chosen(band, queries * len(flips))
        return _compiled_loop() if self._compiled else _search


def near_in_parts(hashes: IntArray, others: IntArray, radius: int) -> Iterator[Pairs]:
    """Yield all rows of both within ``radius`` bits, by the cheaper algorithm.

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
        yield from one_by_one(hashes, others, radius)


def one_by_one(hashes: IntArray, others: IntArray, radius: int) -> Iterator[Pairs]:
    """Do the same as `near_in_parts`, by comparing all pairs."""
    words, known = as_words(hashes), as_words(others)
    block = max(1, _AT_ONCE // max(1, len(known)))
    for start in range(0, len(words), block):
        differing = words[start : start + block, None] ^ known
        rows, columns = np.nonzero(np.bitwise_count(differing) <= radius)
        if len(rows):
            yield rows + start, columns


def bands_pay(hashes: IntArray, queries: int, radius: int) -> bool:
    """Return whether a search by bands is cheaper than comparing all pairs.

    Args:
        hashes: the hashes to index.
        queries: the number of lookups.
        radius: bits, from 0 to 64.
    """
    if not queries or not len(hashes) or radius > LARGEST_RADIUS:
        return False
    buckets = buckets_per_band(radius)
    candidates = buckets * collision_rate(hashes) * len(hashes) * queries
    lookups = BANDS * buckets * (queries + _LOOKUPS)
    return _CANDIDATE_COST * (candidates + lookups) < len(hashes) * queries


def buckets_per_band(radius: int) -> int:
    """Return how many buckets of each band are searched for one hash.

    >>> buckets_per_band(3), buckets_per_band(7), buckets_per_band(11)
    (1, 17, 137)
    """
    return len(_flips(radius))


def collision_rate(hashes: IntArray) -> float:
    """Return the probability that two hashes share a band, summed over the bands.

    It is 4 / 65,536 for random hashes, and much higher for drawings on white.
    """
    shared = 0.0
    for number in range(BANDS):
        sizes = np.bincount(band_keys(as_words(hashes), number), minlength=1 << BITS)
        shared += float(np.square(sizes / len(hashes)).sum())
    return shared


@functools.cache
def has_compiled_loop() -> bool:
    """Return whether the extra ``fast`` is installed."""
    return importlib.util.find_spec("numba") is not None


class _Loops:
    """Chooses NumPy, or the compiled loop once this process compares so much."""

    def __init__(self) -> None:
        self._compared = 0.0

    def chosen(self, band: Band, lookups: int) -> Search:
        """Choose for a search, and count it.

        Args:
            band: in which it searches.
            lookups: how many of the band's buckets it looks up.
        """
        if not has_compiled_loop():
            return _search
        if self._compared < _WORTH_COMPILED:
            sizes = np.diff(band.starts).astype(np.float64)
            # Of the bucket that a hash is in.
            size = float(np.square(sizes).sum()) / max(1, len(band.words))
            self._compared += lookups * (_LOOKUP_COST + size)
        return _search if self._compared < _WORTH_COMPILED else _compiled_loop()


_loops = _Loops()


def _compiled_loop() -> Search:
    # Imported here, because numba takes most of a second to load.
    from icf.search.near_hashes_fast import search

    return search


#: Finds the rows of queries and the places of a band that are within a radius. If the
#: last argument is true, the queries are the band's own words: each pair is found once,
#: and none with itself. A pair that several bands find is reported by the first only.
Search = Callable[[WordArray, Band, IntArray, int, bool], Iterator[Pairs]]


@dataclass(frozen=True, eq=False)
class _Spans:
    """Comparisons to make: each row with all places from begin to end."""

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
            # Compare two buckets once: from the one whose lowest flipped bit is 0.
            rows = np.flatnonzero(keys & flip & -flip == 0)
        begin, end = band.bucket(keys[rows] ^ flip)
        if itself and not flip:
            # Within a bucket, compare each place with the following ones.
            begin = every + 1
        for some, places in _Spans(rows, begin, end).parts():
            differing = queries[some]
            differing ^= band.words[places]
            close = np.flatnonzero(np.bitwise_count(differing) <= radius)
            close = close[_is_first(differing[close], band.number, radius)]
            if len(close):
                yield some[close], places[close]


def _is_first(differing: WordArray, number: int, radius: int) -> npt.NDArray[np.bool_]:
    """Mark the pairs that no earlier band finds."""
    first = np.ones(len(differing), np.bool_)
    for earlier in range(number):
        first &= np.bitwise_count(band_keys(differing, earlier)) > radius // BANDS
    return first


@functools.cache
def _flips(radius: int) -> IntArray:
    """List the possible differences of the nearest band of two hashes, as masks."""
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
