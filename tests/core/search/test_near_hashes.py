import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images.measures import hamming
from icf.search.hash_bands import IntArray
from icf.search.near_hashes import (
    LARGEST_RADIUS,
    HashBands,
    bands_pay,
    has_compiled_loop,
    near_in_parts,
)

words = st.integers(-(2**63), 2**63 - 1)
flips = st.sets(st.integers(0, 63), max_size=14)


def flipped(word: int, bits: set[int]) -> int:
    mask = sum(1 << bit for bit in bits)
    unsigned = (word & (2**64 - 1)) ^ mask
    return unsigned - 2**64 if unsigned >= 2**63 else unsigned


#: Clouds of hashes around a few centres, as near-duplicates are.
clouds = st.lists(
    st.tuples(words, st.lists(flips, min_size=1, max_size=6)), max_size=6
).map(
    lambda found: np.array(
        [flipped(word, bits) for word, cloud in found for bits in cloud], np.int64
    )
)
radii = st.integers(0, LARGEST_RADIUS)

#: The search in NumPy, and the compiled one where numba is installed.
ways = pytest.mark.parametrize(
    "compiled",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not has_compiled_loop(), reason="the extra `fast` is not installed"
            ),
        ),
    ],
)


def brute(these: IntArray, those: IntArray, radius: int) -> set[tuple[int, int]]:
    return {
        (row, int(other))
        for row, word in enumerate(these.tolist())
        for other in np.flatnonzero(hamming(those, word) <= radius)
    }


def as_set(pairs: tuple[IntArray, IntArray]) -> set[tuple[int, int]]:
    found = list(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


@ways
@given(hashes=clouds, radius=radii)
def test_every_pair_within_the_radius_is_found_once(
    compiled: bool, hashes: IntArray, radius: int
) -> None:
    expected = {(a, b) for a, b in brute(hashes, hashes, radius) if a < b}
    bands = HashBands(hashes, compiled=compiled)
    assert as_set(bands.pairs(radius)) == expected


@ways
@given(known=clouds, new=clouds, radius=radii)
def test_new_hashes_find_everything_that_is_near_them(
    compiled: bool, known: IntArray, new: IntArray, radius: int
) -> None:
    bands = HashBands(known, compiled=compiled)
    assert as_set(bands.near(new, radius)) == brute(new, known, radius)


@ways
def test_many_hashes_are_compared_in_parts_and_nothing_is_missed(
    compiled: bool,
) -> None:
    rng = np.random.default_rng(5)
    crowd = rng.integers(0, 1 << 20, 3000) << 12  # all in one bucket of two bands
    expected = {(a, b) for a, b in brute(crowd, crowd, 5) if a < b}
    assert as_set(HashBands(crowd, compiled=compiled).pairs(5)) == expected


@ways
def test_one_hash_with_more_neighbours_than_a_part_has_room_for(compiled: bool) -> None:
    equal = np.full(150_000, 9)
    rows, others = HashBands(equal, compiled=compiled).near(np.array([8]), 1)
    assert (len(rows), others.tolist()) == (150_000, list(range(150_000)))


@given(clouds, clouds, st.integers(0, 64))
def test_whichever_way_is_cheaper_finds_all(
    these: IntArray, those: IntArray, radius: int
) -> None:
    parts = list(near_in_parts(these, those, radius))
    found = [pair for rows, others in parts for pair in zip(rows, others, strict=True)]
    assert len(found) == len(set(found))
    assert set(found) == brute(these, those, radius)


def test_bands_are_used_for_many_spread_hashes_and_not_for_a_crowd() -> None:
    rng = np.random.default_rng(2)
    spread = rng.integers(-(2**63), 2**63 - 1, 100_000)
    near = spread[:4000] ^ (1 << rng.integers(0, 62, 4000))
    assert bands_pay(spread, len(near), 10)
    assert not bands_pay(spread, len(near), LARGEST_RADIUS + 1)
    assert not bands_pay(spread & 0xFF, len(near), 10)
    found = np.concatenate([r for r, _ in near_in_parts(near, spread, 10)])
    assert np.unique(found).tolist() == list(range(4000))


@pytest.mark.parametrize("radius", [-1, LARGEST_RADIUS + 1])
def test_a_radius_out_of_range_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        HashBands(np.array([1, 2])).pairs(radius)


@pytest.mark.skipif(not has_compiled_loop(), reason="the extra `fast` is not installed")
def test_the_compiled_loop_is_loaded_by_who_searches_much_and_not_before() -> None:
    code = """
import sys
import numpy as np
from icf.search.near_hashes import HashBands
hashes = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 100_000)
bands = HashBands(hashes)
few = bands.near(hashes[:100] ^ 1, 10)
loaded = ["numba" in sys.modules]
for _ in range(20):
    many = bands.near(hashes[:5_000] ^ 1, 10)
loaded.append("numba" in sys.modules)
again = bands.near(hashes[:100] ^ 1, 10)
print(*loaded, np.array_equal(few, again))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert said.split() == ["False", "True", "True"]
