from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset import near_duplicates
from icf.dataset.near_duplicates import (
    Hashes,
    IntArray,
    Reach,
    find_near,
    find_near_one_by_one,
)
from icf.images.measures import hamming
from icf.search.near_hashes import bands_pay

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


def flipped(hashes: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    """Each hash with up to so many of its bits turned, anywhere."""
    turned = hashes.copy()
    for row in range(len(hashes)):
        places = rng.choice(64, int(rng.integers(0, most + 1)), replace=False)
        for place in places.tolist():
            turned[row] ^= np.int64(-(2**63)) if place == 63 else np.int64(1 << place)
    return turned


@pytest.mark.parametrize(
    ("reach", "swapped"), [(Reach(10, 10), False), (Reach(11, 3), True)]
)
def test_the_index_finds_as_many_as_comparing_all_pairs(
    reach: Reach, swapped: bool
) -> None:
    rng = np.random.default_rng(reach.phash)
    low, high = -(2**63), 2**63 - 1
    large = Hashes(*rng.integers(low, high, (2, 60_000), endpoint=True))
    near = rng.choice(60_000, 500, replace=False)
    small = Hashes(
        np.append(flipped(large.phash[near], 12, rng), rng.integers(low, high, 8_000)),
        np.append(flipped(large.dhash[near], 12, rng), rng.integers(low, high, 8_000)),
    )
    assert bands_pay(large.phash, len(small.phash), reach.phash)
    these, those = (small, large) if swapped else (large, small)
    found = find_near(these, those, reach)
    expected = find_near_one_by_one(these, those, reach)
    assert (found >= 0).tolist() == (expected >= 0).tolist()
    assert 0 < int((found >= 0).sum()) < len(found)
    rows = np.flatnonzero(found >= 0)
    assert hamming(these.phash[rows], those.phash[found[rows]]).max() <= reach.phash
    assert hamming(these.dhash[rows], those.dhash[found[rows]]).max() <= reach.dhash


def test_hashes_with_many_collisions_are_compared_one_by_one() -> None:
    rng = np.random.default_rng(1)
    few_bits = rng.integers(0, 2**10, (20_000, 2))
    reach = Reach(10, 10)
    assert not bands_pay(few_bits[:, 0], 5_000, reach.phash)
    crowd = Hashes(few_bits[:, 0], few_bits[:, 1])
    assert (find_near(crowd, crowd[np.arange(5)], reach) >= 0).all()


def test_so_many_that_faiss_compares_them_are_found_as_by_ourselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    crowd = as_hashes(rng.integers(0, 2**12, (300, 2)).tolist())
    reach = Reach(3, 3)
    ours = find_near_one_by_one(crowd, crowd[np.arange(50)], reach)
    monkeypatch.setattr(near_duplicates, "_FEW", 0)
    theirs = find_near_one_by_one(crowd, crowd[np.arange(50)], reach)
    assert (ours >= 0).tolist() == (theirs >= 0).tolist()
    assert 50 < int((ours >= 0).sum()) < 300
