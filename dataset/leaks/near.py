"""Near-duplicates between two lists of hashes, by a search of its own.

The splits take near-duplicates of the test out of train by `icf.search`. What checks
them must not share its faults, so that this is another implementation: hashes are
looked up in buckets of 16 of their bits, all buckets within reach, or compared one by
one where the buckets are too full. Either way all are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Rows = tuple[IntArray, IntArray]

_BITS, _BANDS = 16, 4
#: Candidates that are compared at a time.
_AT_ONCE = 1 << 19
#: Comparisons one by one that take no time worth saving.
_FEW = 1 << 22
#: What a candidate from a bucket costs, in comparisons one by one.
_CANDIDATE = 12


def find_close(these: IntArray, those: IntArray, reach: tuple[int, int]) -> IntArray:
    """Find, for each of these pictures, one of those that nearly equals it.

    Args:
        these: shape (n, 2): pHash and dHash of each, as signed integers.
        those: shape (m, 2).
        reach: the largest Hamming distance of each hash; both conditions must hold.

    Returns:
        Shape (n,): a row of ``those``; -1 where none is near enough.

    Example:
        >>> a, b = np.array([[7, 0], [-1, 0]]), np.array([[5, 1]])
        >>> find_close(a, b, (10, 10)).tolist()
        [0, -1]
    """
    mine, inverse = np.unique(these.reshape(-1, 2), axis=0, return_inverse=True)
    theirs, first = np.unique(those.reshape(-1, 2), axis=0, return_index=True)
    found = np.full(len(mine), -1, np.int64)
    if not len(mine) or not len(theirs):
        return found[inverse.ravel()]
    for left, right in _close(mine, theirs, reach):
        found[left] = first[right]
    return found[inverse.ravel()]


def _close(mine: IntArray, theirs: IntArray, reach: tuple[int, int]) -> Iterator[Rows]:
    """Yield rows of both within reach; a pair may come several times."""
    left, right = (
        np.ascontiguousarray(each).view(np.uint64) for each in (mine, theirs)
    )
    flips = _flips(reach[0] // _BANDS)
    # The smaller list is looked up in the larger.
    if len(left) <= len(right):
        for rows, others in _pairs(left[:, 0], right[:, 0], reach[0], flips):
            yield from _both(left, right, rows, others, reach[1])
    else:
        for others, rows in _pairs(right[:, 0], left[:, 0], reach[0], flips):
            yield from _both(left, right, rows, others, reach[1])


def _both(
    left: Words, right: Words, rows: IntArray, others: IntArray, most: int
) -> Iterator[Rows]:
    near = np.bitwise_count(left[rows, 1] ^ right[others, 1]) <= most
    if near.any():
        yield rows[near], others[near]


def _pairs(
    few: Words, many: Words, most: int, flips: IntArray | None
) -> Iterator[Rows]:
    if flips is None or not _buckets_pay(few, many, flips):
        yield from _one_by_one(few, many, most)
        return
    for band in range(_BANDS):
        keys = _keys(many, band)
        order = np.argsort(keys, kind="stable")
        places = many[order]
        ends = np.cumsum(np.bincount(keys, minlength=1 << _BITS))
        starts = np.concatenate([[0], ends])
        asked = _keys(few, band)
        for flip in flips.tolist():
            bucket = asked ^ flip
            begin, size = starts[bucket], starts[bucket + 1] - starts[bucket]
            for rows, at in _spread(begin, size):
                near = np.bitwise_count(few[rows] ^ places[at]) <= most
                if near.any():
                    yield rows[near], order[at[near]]


def _spread(begin: IntArray, size: IntArray) -> Iterator[Rows]:
    """Yield each row with every place of its bucket, some rows at a time."""
    done = np.cumsum(size)
    start = 0
    while start < len(size):
        before = int(done[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(done, before + _AT_ONCE, "right")))
        sizes = size[start:end]
        rows = np.repeat(np.arange(start, end), sizes)
        first = begin[start:end] - (done[start:end] - sizes - before)
        yield rows, np.arange(len(rows)) + np.repeat(first, sizes)
        start = end


def _one_by_one(few: Words, many: Words, most: int) -> Iterator[Rows]:
    step = max(1, _AT_ONCE // len(many))
    for start in range(0, len(few), step):
        differing = np.bitwise_count(few[start : start + step, None] ^ many)
        rows, others = np.nonzero(differing <= most)
        if len(rows):
            yield rows + start, others


def _keys(words: Words, band: int) -> IntArray:
    return ((words >> np.uint64(_BITS * band)) & np.uint64(0xFFFF)).astype(np.int64)


def _buckets_pay(few: Words, many: Words, flips: IntArray) -> bool:
    """Whether fewer comparisons are left, by far, than one by one."""
    every = len(few) * len(many)
    if every < _FEW:
        return False
    count = len(flips) * _BANDS * len(few)
    places = np.arange(1 << _BITS)
    for band in range(_BANDS):
        asked = np.bincount(_keys(few, band), minlength=1 << _BITS)
        held = np.bincount(_keys(many, band), minlength=1 << _BITS)
        count += sum(int(asked @ held[places ^ flip]) for flip in flips.tolist())
    return _CANDIDATE * count < every


def _flips(bits: int) -> IntArray | None:
    """List the differences of up to so many bits of a bucket; None: they are too many.

    Two hashes within a distance of r differ in r // 4 bits or fewer in one of four
    buckets at least.
    """
    if bits > 3:
        return None
    some = [
        sum(1 << bit for bit in chosen)
        for count in range(bits + 1)
        for chosen in combinations(range(_BITS), count)
    ]
    return np.array(some, np.int64)
