"""The inner loop of `icf.search.near_hashes`, compiled by numba (extra ``fast``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from icf.search.hash_bands import BANDS, BITS, Band, IntArray, Pairs, WordArray

#: Pairs that one call of the loop has room for.
_ROOM = 1 << 16


def search(
    queries: WordArray, band: Band, flips: IntArray, radius: int, itself: bool
) -> Iterator[Pairs]:
    """Find pairs within a radius, see `icf.search.near_hashes.Search`."""
    room = _ROOM
    done = 0
    while done < len(queries):
        rows, places = np.empty(room, np.int64), np.empty(room, np.int64)
        found, done_now = _loop(
            queries,
            band.words,
            band.starts,
            band.number,
            flips,
            radius,
            itself,
            done,
            rows,
            places,
        )
        if done_now == done:
            # One query has more pairs than fit.
            room *= 2
            continue
        done = done_now
        if found:
            yield rows[:found], places[:found]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # There is no folder for numba's cache: compile in each process.
        compiled = numba.njit(nogil=True)(function)
    return compiled


@intrinsic  # type: ignore[untyped-decorator]
def _count_bits(context: Any, word: Any) -> Any:
    """Emit the population count instruction."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any
    ) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@_compiled
def _any_near(
    word: np.uint64, words: WordArray, begin: int, end: int, radius: int
) -> bool:
    """Compare without a branch, so that it is vectorised."""
    near = 0
    for place in range(begin, end):
        near += _count_bits(word ^ words[place]) <= np.uint64(radius)
    return near > 0


@_compiled
def _is_first(differing: np.uint64, number: int, radius: int) -> bool:
    """Return whether no earlier band finds this pair."""
    for earlier in range(number):
        part = (differing >> np.uint64(BITS * earlier)) & np.uint64((1 << BITS) - 1)
        if _count_bits(part) <= np.uint64(radius // BANDS):
            return False
    return True


@_compiled
def _loop(
    queries: WordArray,
    words: WordArray,
    starts: IntArray,
    number: int,
    flips: IntArray,
    radius: int,
    itself: bool,
    first: int,
    rows: IntArray,
    places: IntArray,
) -> tuple[int, int]:
    """Fill ``rows`` and ``places``; return how many, and the next query."""
    whole = np.uint64((1 << BITS) - 1)
    filled = 0
    for query in range(first, len(queries)):
        word = queries[query]
        key = np.int64((word >> np.uint64(BITS * number)) & whole)
        before = filled
        for flip in flips:
            if itself and flip and key & flip & -flip:
                continue
            begin, end = starts[key ^ flip], starts[(key ^ flip) + 1]
            if itself and not flip:
                begin = query + 1
            if not _any_near(word, words, begin, end, radius):
                continue
            for place in range(begin, end):
                differing = word ^ words[place]
                if _count_bits(differing) > np.uint64(radius):
                    continue
                if _is_first(differing, number, radius):
                    if filled == len(rows):
                        return before, query
                    rows[filled], places[filled] = query, place
                    filled += 1
    return filled, len(queries)
