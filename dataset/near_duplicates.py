"""Which of many pictures nearly equals one of some others: pHash and dHash together.

`find_near` looks only where a match can be; `find_near_one_by_one` compares everything
with everything, in many times the time. They find the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import faiss
import numpy as np
import numpy.typing as npt

from icf.measures import hamming

IntArray = npt.NDArray[np.int64]

_AT_ONCE = 8192

#: A pHash is cut into this many bands of so many bits.
_BANDS, _BITS = 4, 16
#: So many bits of a band are flipped at most. Two pHashes that differ in r bits differ
#: in r // _BANDS bits or fewer within one band at least.
_MOST_FLIPS = 2
#: Looking at one candidate of a band costs as much as comparing this many pictures.
_CANDIDATE_COST = 20
_CANDIDATES_AT_ONCE = 1_000_000


@dataclass(frozen=True, eq=False)
class Hashes:
    """Two 64-bit hashes of each picture, as signed integers; both of shape (n,)."""

    phash: IntArray
    dhash: IntArray

    def __getitem__(self, rows: npt.NDArray[np.bool_] | IntArray) -> Hashes:
        """The hashes of some rows."""
        return Hashes(self.phash[rows], self.dhash[rows])


@dataclass(frozen=True)
class Reach:
    """How many bits may differ between near-duplicates; both must hold."""

    phash: int
    dhash: int


def find_near(these: Hashes, those: Hashes, reach: Reach) -> IntArray:
    """For each of ``these``, one of ``those`` that nearly equals it.

    Returns:
        Shape (n,): rows of ``those``; -1 where none is within reach.

    Example:
        >>> a = Hashes(np.array([7, -1]), np.array([0, 0]))
        >>> b = Hashes(np.array([5]), np.array([1]))
        >>> find_near(a, b, Reach(10, 10)).tolist()
        [0, -1]
    """
    mine, inverse = _distinct(these)
    theirs, first = np.unique(_pairs(those), axis=0, return_index=True)
    near = np.full(len(mine), -1, np.int64)
    swapped = len(mine) < len(theirs)
    large, small = (theirs, mine) if swapped else (mine, theirs)
    if not _bands_pay(large, small, reach):
        return find_near_one_by_one(these, those, reach)
    for in_large, in_small in _within_reach(large, small, reach):
        if swapped:
            near[in_small] = first[in_large]
        else:
            near[in_large] = first[in_small]
    return near[inverse]


def find_near_one_by_one(these: Hashes, those: Hashes, reach: Reach) -> IntArray:
    """The same as `find_near`, by comparing all of ``these`` with all of ``those``."""
    found = np.full(len(these.phash), -1, np.int64)
    if not len(these.phash) or not len(those.phash):
        return found
    mine, inverse = _distinct(these)
    theirs, first = np.unique(_pairs(those), axis=0, return_index=True)
    index = faiss.IndexBinaryFlat(64)
    index.add(_codes(theirs[:, 0]))
    near = np.full(len(mine), -1, np.int64)
    for start in range(0, len(mine), _AT_ONCE):
        block = mine[start : start + _AT_ONCE]
        # faiss finds what is nearer than the radius, not what is at it.
        limits, _, rows = index.range_search(_codes(block[:, 0]), reach.phash + 1)
        starts = np.asarray(limits, np.int64)
        query = np.repeat(np.arange(len(block)), starts[1:] - starts[:-1])
        close = hamming(block[query, 1], theirs[rows, 1]) <= reach.dhash
        near[start + query[close]] = first[rows[close]]
    found[:] = near[inverse]
    return found


def _bands_pay(large: IntArray, small: IntArray, reach: Reach) -> bool:
    """Tell whether bands leave few enough candidates to be the cheaper way."""
    if not len(small) or reach.phash // _BANDS > _MOST_FLIPS:
        return False
    crowded = 0.0
    for band in range(_BANDS):
        sizes = np.bincount(_keys(large, band), minlength=1 << _BITS)
        # The chance that a hash of the same kind falls where a given one is.
        crowded += float(np.square(sizes / len(large)).sum())
    candidates = crowded * len(_flips(reach)) * len(large) * len(small)
    lookups = _BANDS * len(_flips(reach)) * (len(small) + _AT_ONCE)
    pairs = len(large) * len(small)
    return _CANDIDATE_COST * (candidates + lookups) < pairs


def _within_reach(
    large: IntArray, small: IntArray, reach: Reach
) -> Iterator[tuple[IntArray, IntArray]]:
    """Rows of both that are within reach of each other; a pair may come twice."""
    for band in range(_BANDS):
        keys = _keys(large, band)
        order = np.argsort(keys, kind="stable")
        phash = large[order, 0]
        starts = np.searchsorted(keys[order], np.arange((1 << _BITS) + 1))
        for flip in _flips(reach):
            wanted = _keys(small, band) ^ flip
            begin, sizes = starts[wanted], starts[wanted + 1] - starts[wanted]
            for part in _parts(sizes):
                query = np.repeat(part, sizes[part])
                ends = np.cumsum(sizes[part])
                skipped = np.repeat(begin[part] - ends + sizes[part], sizes[part])
                place = np.arange(len(query)) + skipped
                close = hamming(phash[place], small[query, 0]) <= reach.phash
                rows, query = order[place[close]], query[close]
                close = hamming(large[rows, 1], small[query, 1]) <= reach.dhash
                yield rows[close], query[close]


def _parts(sizes: IntArray) -> Iterator[IntArray]:
    """Rows with candidates, split so that a part has about a million of them."""
    rows = np.flatnonzero(sizes)
    part = np.cumsum(sizes[rows]) // _CANDIDATES_AT_ONCE
    yield from np.split(rows, np.flatnonzero(np.diff(part)) + 1)


def _flips(reach: Reach) -> list[int]:
    """Every way in which the nearest band of two hashes may differ, as a mask."""
    return [
        sum(1 << bit for bit in bits)
        for count in range(reach.phash // _BANDS + 1)
        for bits in combinations(range(_BITS), count)
    ]


def _keys(pairs: IntArray, band: int) -> IntArray:
    return np.asarray((pairs[:, 0] >> (_BITS * band)) & ((1 << _BITS) - 1), np.int64)


def _pairs(hashes: Hashes) -> IntArray:
    return np.stack([hashes.phash, hashes.dhash], axis=1)


def _distinct(hashes: Hashes) -> tuple[IntArray, IntArray]:
    pairs, inverse = np.unique(_pairs(hashes), axis=0, return_inverse=True)
    return pairs, inverse.ravel()


def _codes(hashes: IntArray) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
