from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.leaks.near import find_close

IntArray = npt.NDArray[np.int64]

HASH = st.integers(-(2**63), 2**63 - 1)


def distance(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


def has_close(
    these: list[list[int]], those: list[list[int]], reach: tuple[int, int]
) -> list[bool]:
    """Compare everything with everything, in plain Python."""
    return [
        any(
            all(map(lambda a, b, most: distance(a, b) <= most, one, other, reach))
            for other in those
        )
        for one in these
    ]


@st.composite
def near_lists(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]]]:
    """Two lists, some rows of the second a few bits from one of the first."""
    pair = st.tuples(HASH, HASH).map(list)
    these = draw(st.lists(pair, max_size=8))
    those = draw(st.lists(pair, max_size=8))
    for one in these:
        bits = draw(st.sets(st.integers(0, 62), max_size=13))
        flipped = sum(1 << bit for bit in bits)
        those.append(
            [one[0] ^ flipped, one[1] ^ draw(st.sampled_from([0, 1, flipped]))]
        )
    return these, those


@given(near_lists(), st.integers(0, 16), st.integers(0, 16))
@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("buckets", [True, False])
def test_it_finds_exactly_what_comparing_everything_finds(
    buckets: bool, lists: tuple[list[list[int]], list[list[int]]], one: int, two: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        pays = "icf.dataset.leaks.near._buckets_pay"
        patch.setattr(pays, lambda *_: buckets)
        patch.setattr("icf.dataset.leaks.near._AT_ONCE", 7)
        these, those = lists
        found = find_close(table(these), table(those), (one, two))
        assert (found >= 0).tolist() == has_close(these, those, (one, two))
        for row, column in enumerate(found.tolist()):
            if column >= 0:
                assert distance(these[row][0], those[column][0]) <= one
                assert distance(these[row][1], those[column][1]) <= two


def table(rows: list[list[int]]) -> IntArray:
    return np.array(rows, np.int64).reshape(-1, 2)


def test_copies_among_many_are_all_found() -> None:
    rng = np.random.default_rng(0)
    many = rng.integers(-(2**63), 2**63 - 1, (20_000, 2))
    few = many[::100].copy()
    for row in few:
        bits = rng.choice(63, 10, replace=False)
        row ^= np.bitwise_or.reduce(1 << bits)
    assert find_close(few, many, (10, 10)).tolist() == list(range(0, 20_000, 100))
    assert np.count_nonzero(find_close(many, few, (10, 10)) >= 0) == len(few)
