"""Group near-duplicates around keepers, among the faces of one character.

Faces are ranked, the best first. The best face is a keeper, and its near-duplicates are
dropped; the best of the others is the next keeper, and so on. A face is therefore
dropped only if it is a near-duplicate of a keeper, never through a chain, and no two
keepers are near-duplicates of each other.

Faces are processed in blocks. First the keepers of a block are found, then these are
compared with all faces after the block. So a large group of copies is dropped by the
block with its best face, and its members are never compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.images.measures import hamming
from icf.search.hash_bands import IntArray, as_words
from icf.search.near_hashes import near_in_parts

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

#: The cosine of each pair of rows; NaN where the two cannot be compared.
Cosines = Callable[[IntArray, IntArray], FloatArray]

#: A face is flat if the standard deviation of its grey values is lower than this, or
#: if its pHash has at most this number of bits: no frequency dominates.
_FLAT_CONTRAST, _FLAT_BITS = 1.0, 1

#: Sizes of the first and the largest block; each block is twice as large as the last.
_FIRST_BLOCK, _LARGEST_BLOCK = 512, 4096


@dataclass(frozen=True, eq=False)
class RankedFaces:
    """Faces by rank, the best first; all arrays of shape (n,).

    Attributes:
        phash: signed 64-bit hashes.
        dhash: signed 64-bit hashes.
        droppable: whether a face may be dropped; one that was kept earlier stays.
        searched: whether to compare a face at all.
    """

    phash: IntArray
    dhash: IntArray
    droppable: BoolArray
    searched: BoolArray


@dataclass(frozen=True)
class Thresholds:
    """When two faces are near-duplicates.

    Attributes:
        phash: maximum number of different pHash bits.
        dhash: maximum number of different dHash bits.
        cosine: minimum cosine of the embeddings.
    """

    phash: int
    dhash: int
    cosine: float


class DuplicateGroups:
    """The keeper of each face; all arrays of shape (n,).

    Attributes:
        keeper: the row of the face's keeper; -1 for a keeper.
        cosine: to the keeper; for a keeper, the highest to a better keeper that is near
            by hashes but not by embedding; NaN if there is none.
        phash_bits: of a dropped face, to its keeper.
        dhash_bits: of a dropped face, to its keeper.
    """

    def __init__(self, count: int) -> None:
        self.keeper = np.full(count, -1, np.int64)
        self.cosine = np.full(count, np.nan, np.float32)
        self.phash_bits = np.zeros(count, np.int64)
        self.dhash_bits = np.zeros(count, np.int64)

    def drop(self, pairs: _Pairs) -> None:
        """Drop the second face of each pair, with the first as keeper."""
        self.keeper[pairs.other] = pairs.one
        self.cosine[pairs.other] = pairs.cosine
        self.phash_bits[pairs.other] = pairs.phash_bits
        self.dhash_bits[pairs.other] = pairs.dhash_bits

    def record_near_misses(self, pairs: _Pairs) -> None:
        """Record the highest cosine below the threshold, of faces that are kept."""
        kept = (self.keeper[pairs.other] < 0) & ~np.isnan(pairs.cosine)
        np.fmax.at(self.cosine, pairs.other[kept], pairs.cosine[kept])


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that are near by both hashes: rows, the better face first, and measures."""

    one: IntArray
    other: IntArray
    phash_bits: IntArray
    dhash_bits: IntArray
    cosine: FloatArray

    def __getitem__(self, some: BoolArray | NDArray[np.intp]) -> _Pairs:
        return _Pairs(*(values[some] for values in vars(self).values()))


def has_informative_hashes(
    contrast: NDArray[np.float64], phash: IntArray, dhash: IntArray
) -> BoolArray:
    """Whether hashes are informative: those of flat faces are all alike.

    Args:
        contrast: standard deviation of grey values; NaN if it was not measured.
        phash: signed 64-bit hashes.
        dhash: signed 64-bit hashes.
    """
    flat = (contrast < _FLAT_CONTRAST) | (dhash == 0)
    flat |= np.bitwise_count(as_words(phash)) <= _FLAT_BITS
    return np.asarray(~flat)


def find_groups(
    faces: RankedFaces, thresholds: Thresholds, cosines: Cosines
) -> DuplicateGroups:
    """Find the keepers among ranked faces, and the near-duplicates of each.

    Args:
        faces: of one character.
        thresholds: when a face is a near-duplicate of its keeper.
        cosines: called only for pairs that are near by hashes.
    """
    groups = DuplicateGroups(len(faces.phash))
    rest = np.flatnonzero(faces.searched)
    size = _FIRST_BLOCK
    while len(rest):
        block, rest = rest[:size], rest[size:]
        _group_block(faces, thresholds, cosines, groups, block)
        keepers = block[groups.keeper[block] < 0]
        for pairs in _near(faces, thresholds, cosines, keepers, rest):
            _drop_for_best_keeper(groups, pairs, thresholds)
        rest = rest[groups.keeper[rest] < 0]
        size = min(2 * size, _LARGEST_BLOCK)
    return groups


def _group_block(
    faces: RankedFaces,
    thresholds: Thresholds,
    cosines: Cosines,
    groups: DuplicateGroups,
    block: IntArray,
) -> None:
    """Find the keepers of a block that has no near-duplicates of earlier keepers."""
    pairs = _joined(_near(faces, thresholds, cosines, block, block))
    pairs = pairs[np.lexsort((pairs.other, pairs.one))]
    within = pairs[pairs.cosine >= thresholds.cosine]
    rows, starts, counts = np.unique(within.one, return_index=True, return_counts=True)
    for row, start, count in zip(rows, starts, counts, strict=True):
        if groups.keeper[row] < 0:
            of_row = np.arange(start, start + count)
            still_kept = groups.keeper[within.other[of_row]] < 0
            groups.drop(within[of_row[still_kept]])
    by_keeper = groups.keeper[pairs.one] < 0
    groups.record_near_misses(pairs[by_keeper & (pairs.cosine < thresholds.cosine)])


def _drop_for_best_keeper(
    groups: DuplicateGroups, pairs: _Pairs, thresholds: Thresholds
) -> None:
    """Drop faces, each with the best of its possible keepers."""
    within = pairs[pairs.cosine >= thresholds.cosine]
    within = within[np.lexsort((within.one, within.other))]
    within = within[np.unique(within.other, return_index=True)[1]]
    current = groups.keeper[within.other]
    groups.drop(within[(current < 0) | (within.one < current)])
    groups.record_near_misses(pairs[pairs.cosine < thresholds.cosine])


def _near(
    faces: RankedFaces,
    thresholds: Thresholds,
    cosines: Cosines,
    these: IntArray,
    those: IntArray,
) -> Iterator[_Pairs]:
    """Pairs that are near by both hashes and whose second face may be dropped."""
    phash = faces.phash
    for rows, others in near_in_parts(phash[these], phash[those], thresholds.phash):
        yield _measured(faces, thresholds, cosines, these[rows], those[others])


def _measured(
    faces: RankedFaces,
    thresholds: Thresholds,
    cosines: Cosines,
    one: IntArray,
    other: IntArray,
) -> _Pairs:
    bits = hamming(faces.dhash[one], faces.dhash[other])
    chosen = (bits <= thresholds.dhash) & (one < other) & faces.droppable[other]
    one, other, bits = one[chosen], other[chosen], bits[chosen]
    phash_bits = hamming(faces.phash[one], faces.phash[other])
    return _Pairs(one, other, phash_bits, bits, cosines(one, other))


def _joined(parts: Iterable[_Pairs]) -> _Pairs:
    nothing = np.empty(0, np.int64)
    empty = _Pairs(nothing, nothing, nothing, nothing, np.empty(0, np.float32))
    columns = zip(*(vars(each).values() for each in (empty, *parts)), strict=True)
    return _Pairs(*(np.concatenate(column) for column in columns))
