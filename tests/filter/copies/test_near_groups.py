from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from icf.filter.copies import near_groups
from icf.filter.copies.near_groups import Cosines, RankedFaces, Thresholds, find_groups
from icf.images.measures import hamming
from icf.search.hash_bands import IntArray


def of_table(table: NDArray[np.float32]) -> Cosines:
    """Cosines that are read from a table."""
    return lambda one, other: table[one, other]


def one_after_another(
    faces: RankedFaces, thresholds: Thresholds, table: NDArray[np.float32]
) -> tuple[list[int], list[float]]:
    """What the module's first lines say, word for word: keepers, and cosines."""
    keeper = [-1] * len(faces.phash)
    cosine = [float("nan")] * len(faces.phash)
    for row in range(len(keeper)):
        if keeper[row] >= 0 or not faces.searched[row]:
            continue
        for other in range(row + 1, len(keeper)):
            if (
                keeper[other] >= 0
                or not faces.searched[other]
                or not faces.droppable[other]
            ):
                continue
            near = (
                hamming(faces.phash[[row]], faces.phash[[other]])[0] <= thresholds.phash
                and hamming(faces.dhash[[row]], faces.dhash[[other]])[0]
                <= thresholds.dhash
            )
            found = float(table[row, other])
            if near and found >= thresholds.cosine:
                keeper[other], cosine[other] = row, found
            elif near:
                cosine[other] = float(np.fmax(cosine[other], found))
    return keeper, cosine


@pytest.mark.parametrize("blocks", [(512, 4096), (2, 5)])
@given(data=st.data())
def test_blocks_give_the_same_groups_as_a_sequential_search(
    blocks: tuple[int, int], data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    faces = RankedFaces(
        rng.integers(0, 16, count),
        rng.integers(0, 8, count),
        rng.random(count) < 0.8,
        rng.random(count) < 0.9,
    )
    table = rng.choice(np.array([0.1, 0.5, 0.95, np.nan], np.float32), (count, count))
    thresholds = Thresholds(data.draw(st.integers(0, 2)), 1, 0.9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_groups, "_FIRST_BLOCK", blocks[0])
        patch.setattr(near_groups, "_LARGEST_BLOCK", blocks[1])
        groups = find_groups(faces, thresholds, of_table(table))
    keeper, cosine = one_after_another(faces, thresholds, table)
    assert groups.keeper.tolist() == keeper
    np.testing.assert_array_equal(groups.cosine, np.array(cosine, np.float32))
    out = np.flatnonzero(groups.keeper >= 0)
    for bits, hashes in (
        (groups.phash_bits, faces.phash),
        (groups.dhash_bits, faces.dhash),
    ):
        between = hamming(hashes[out], hashes[groups.keeper[out]])
        assert bits[out].tolist() == between.tolist()


def test_many_different_faces_and_a_large_group_of_copies_are_grouped() -> None:
    rng = np.random.default_rng(3)
    different = rng.integers(-(2**63), 2**63 - 1, 30_000)
    crowd = different[0] ^ (1 << rng.integers(0, 62, 20_000))
    phash: IntArray = np.concatenate([different, crowd])
    all_of_them = np.ones(len(phash), np.bool_)
    faces = RankedFaces(phash, phash, all_of_them, all_of_them)
    thresholds = Thresholds(10, 10, 0.9)
    groups = find_groups(
        faces, thresholds, lambda one, _: np.ones(len(one), np.float32)
    )
    assert (groups.keeper[30_000:] == 0).all()
    assert (groups.keeper[:30_000] < 0).sum() > 29_900
