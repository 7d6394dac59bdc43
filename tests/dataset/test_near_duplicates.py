from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.near_duplicates import Hashes, Reach, find_near

# Few different bits, so that many pairs are near.
hashes = st.lists(
    st.tuples(st.integers(-(2**5), 2**5), st.integers(-(2**5), 2**5)), max_size=30
)


def bits(a: int, b: int) -> int:
    return bin((a ^ b) & (2**64 - 1)).count("1")


def as_hashes(pairs: list[tuple[int, int]]) -> Hashes:
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return Hashes(table[:, 0], table[:, 1])


@settings(deadline=None)
@given(hashes, hashes, st.integers(0, 4), st.integers(0, 4))
def test_it_finds_one_exactly_where_brute_force_does(
    these: list[tuple[int, int]],
    those: list[tuple[int, int]],
    phash: int,
    dhash: int,
) -> None:
    found = find_near(as_hashes(these), as_hashes(those), Reach(phash, dhash))
    for (p, d), row in zip(these, found.tolist(), strict=True):
        near = [
            place
            for place, (q, e) in enumerate(those)
            if bits(p, q) <= phash and bits(d, e) <= dhash
        ]
        assert (row in near) if near else (row == -1)
