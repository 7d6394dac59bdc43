import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.measures import hamming
from icf.near_hashes import LARGEST_RADIUS, HashBands, IntArray

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


@given(clouds, radii)
def test_every_pair_within_the_radius_is_found_once(
    hashes: IntArray, radius: int
) -> None:
    expected = {(a, b) for a, b in brute(hashes, hashes, radius) if a < b}
    assert as_set(HashBands(hashes).pairs(radius)) == expected


@given(clouds, clouds, radii)
def test_new_hashes_find_everything_that_is_near_them(
    known: IntArray, new: IntArray, radius: int
) -> None:
    assert as_set(HashBands(known).near(new, radius)) == brute(new, known, radius)


def test_many_hashes_are_compared_in_parts_and_nothing_is_missed() -> None:
    rng = np.random.default_rng(5)
    crowd = rng.integers(0, 1 << 20, 3000) << 12  # all in one bucket of two bands
    expected = {(a, b) for a, b in brute(crowd, crowd, 5) if a < b}
    assert as_set(HashBands(crowd).pairs(5)) == expected


@pytest.mark.parametrize("radius", [-1, LARGEST_RADIUS + 1])
def test_a_radius_out_of_range_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        HashBands(np.array([1, 2])).pairs(radius)
