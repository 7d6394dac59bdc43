"""Near-duplicates between two sets of pictures, by pHash and dHash together.

Where both hashes are within reach, or the pHash alone is within a smaller one.

`find_near` compares only candidates from an index; `find_near_one_by_one` compares all
pairs and is many times slower. Both find the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.images.measures import hamming
from icf.search.near_hashes import HashBands, bands_pay, one_by_one

IntArray = npt.NDArray[np.int64]

_AT_ONCE = 8192
#: Comparisons that take half a second without faiss.
_FEW = 1 << 28


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
    """Largest Hamming distances of near-duplicates.

    Attributes:
        phash: of the pHash, and
        dhash: of the dHash; both conditions must hold; or
        alone: of the pHash, whatever the dHash is; at most ``phash``; -1: never.
    """

    phash: int
    dhash: int
    alone: int = -1


def is_near(these: Hashes, those: Hashes, reach: Reach) -> npt.NDArray[np.bool_]:
    """Compare hashes row by row; shapes broadcast."""
    bits = hamming(these.phash, those.phash)
    near = bits <= reach.phash
    near &= hamming(these.dhash, those.dhash) <= reach.dhash
    return np.asarray(near | (bits <= reach.alone), np.bool_)


def find_near(these: Hashes, those: Hashes, reach: Reach) -> IntArray:
    """Find, for each of ``these``, a near-duplicate among ``those``.

    Returns:
        Shape (n,): rows of ``those``; -1 where none is near enough.

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
    if not bands_pay(large[:, 0], len(small), reach.phash):
        return find_near_one_by_one(these, those, reach)
    for in_large, in_small in _within_reach(large, small, reach):
        if swapped:
            near[in_small] = first[in_large]
        else:
            near[in_large] = first[in_small]
    return near[inverse]


def find_near_one_by_one(these: Hashes, those: Hashes, reach: Reach) -> IntArray:
    """Do the same as `find_near`, by comparing all pairs."""
    found = np.full(len(these.phash), -1, np.int64)
    if not len(these.phash) or not len(those.phash):
        return found
    mine, inverse = _distinct(these)
    theirs, first = np.unique(_pairs(those), axis=0, return_index=True)
    near = np.full(len(mine), -1, np.int64)
    few = len(mine) * len(theirs) <= _FEW
    search = one_by_one if few else _by_faiss
    for query, rows in search(mine[:, 0], theirs[:, 0], reach.phash):
        close = is_near(_hashes(mine[query]), _hashes(theirs[rows]), reach)
        near[query[close]] = first[rows[close]]
    found[:] = near[inverse]
    return found


def _by_faiss(
    hashes: IntArray, others: IntArray, radius: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Do the same as `one_by_one`, six times as fast."""
    # Imported here: it takes 165 MiB, and most releases never compare so many.
    import faiss

    index = faiss.IndexBinaryFlat(64)
    index.add(_codes(others))
    for start in range(0, len(hashes), _AT_ONCE):
        block = hashes[start : start + _AT_ONCE]
        # faiss finds distances below the radius, not equal to it.
        limits, _, rows = index.range_search(_codes(block), radius + 1)
        starts = np.asarray(limits, np.int64)
        query = np.repeat(np.arange(len(block)), starts[1:] - starts[:-1])
        yield start + query, rows


def _within_reach(
    large: IntArray, small: IntArray, reach: Reach
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows of both that are near-duplicates of each other."""
    # Loading the compiled loop takes 90 MiB, and longer than it saves for so few.
    bands = HashBands(large[:, 0], compiled=False)
    for query, rows in bands.near_in_parts(small[:, 0], reach.phash):
        close = is_near(_hashes(large[rows]), _hashes(small[query]), reach)
        yield rows[close], query[close]


def _pairs(hashes: Hashes) -> IntArray:
    return np.stack([hashes.phash, hashes.dhash], axis=1)


def _hashes(pairs: IntArray) -> Hashes:
    return Hashes(pairs[:, 0], pairs[:, 1])


def _distinct(hashes: Hashes) -> tuple[IntArray, IntArray]:
    pairs, inverse = np.unique(_pairs(hashes), axis=0, return_inverse=True)
    return pairs, inverse.ravel()


def _codes(hashes: IntArray) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
