"""Draw groups of near-duplicates around keepers, among the faces of one character.

Faces come ranked, the best first. The best is a keeper; what is within its reach is
out; the best of the others is the next keeper, and so on. A face is therefore out only
if it is itself within reach of a keeper, never along a chain, and no two keepers are
within reach of each other.

Faces are taken a block at a time: the block is settled first, and its keepers are then
looked up among all that is behind it. So a crowd of copies is gone after the block with
its best face, and never compared with itself.
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

#: Standard deviation of grey values below which a face is one colour, and the bits of a
#: pHash of nothing: no frequency rises above the others.
_FLAT_CONTRAST, _FLAT_BITS = 1.0, 1

#: Faces of the first block, and of the largest: each next one is twice as large.
_FIRST_BLOCK, _LARGEST_BLOCK = 512, 4096


@dataclass(frozen=True, eq=False)
class RankedFaces:
    """Faces by rank, the best first; all arrays of shape (n,).

    Attributes:
        phash: signed 64-bit hashes.
        dhash: signed 64-bit hashes.
        free: whether a face may be out; one that was kept earlier stays.
        searched: whether to look at it at all.
    """

    phash: IntArray
    dhash: IntArray
    free: BoolArray
    searched: BoolArray


@dataclass(frozen=True)
class Reach:
    """How near two faces must be, in bits and by the cosine of their embeddings."""

    phash: int
    dhash: int
    cosine: float


class Groups:
    """Which face stands for which; all arrays of shape (n,).

    Attributes:
        keeper: the row of the face that stands for it; -1 for a keeper.
        cosine: to the keeper; of a keeper, the highest to a better keeper that was
            near by hashes and not by embedding; NaN where there is none.
        phash_bits: of a face that is out, to its keeper.
        dhash_bits: of a face that is out, to its keeper.
    """

    def __init__(self, count: int) -> None:
        self.keeper = np.full(count, -1, np.int64)
        self.cosine = np.full(count, np.nan, np.float32)
        self.phash_bits = np.zeros(count, np.int64)
        self.dhash_bits = np.zeros(count, np.int64)

    def put_out(self, pairs: _Pairs) -> None:
        """Put the second face of each pair out, for the first; each second once."""
        self.keeper[pairs.other] = pairs.one
        self.cosine[pairs.other] = pairs.cosine
        self.phash_bits[pairs.other] = pairs.phash_bits
        self.dhash_bits[pairs.other] = pairs.dhash_bits

    def note_misses(self, pairs: _Pairs) -> None:
        """Keep the best cosine that was not high enough, of faces that stay."""
        stays = (self.keeper[pairs.other] < 0) & ~np.isnan(pairs.cosine)
        np.fmax.at(self.cosine, pairs.other[stays], pairs.cosine[stays])


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that are near by both hashes: rows, the better first, and measures."""

    one: IntArray
    other: IntArray
    phash_bits: IntArray
    dhash_bits: IntArray
    cosine: FloatArray

    def __getitem__(self, some: BoolArray | NDArray[np.intp]) -> _Pairs:
        return _Pairs(*(values[some] for values in vars(self).values()))


def telling(
    contrast: NDArray[np.float64], phash: IntArray, dhash: IntArray
) -> BoolArray:
    """Which hashes say anything: those of all flat faces are alike.

    Args:
        contrast: standard deviation of grey values; NaN where it was not measured.
        phash: signed 64-bit hashes.
        dhash: signed 64-bit hashes.
    """
    flat = (contrast < _FLAT_CONTRAST) | (dhash == 0)
    flat |= np.bitwise_count(as_words(phash)) <= _FLAT_BITS
    return np.asarray(~flat)


def find_groups(faces: RankedFaces, reach: Reach, cosines: Cosines) -> Groups:
    """Find the keepers among ranked faces, and what each stands for.

    Args:
        faces: of one character.
        reach: how near a face must be to its keeper.
        cosines: asked for the pairs alone that are near by hashes.
    """
    groups = Groups(len(faces.phash))
    ahead = np.flatnonzero(faces.searched)
    size = _FIRST_BLOCK
    while len(ahead):
        block, ahead = ahead[:size], ahead[size:]
        _settle(faces, reach, cosines, groups, block)
        keepers = block[groups.keeper[block] < 0]
        for pairs in _near(faces, reach, cosines, keepers, ahead):
            _first_keeper(groups, pairs, reach)
        ahead = ahead[groups.keeper[ahead] < 0]
        size = min(2 * size, _LARGEST_BLOCK)
    return groups


def _settle(
    faces: RankedFaces, reach: Reach, cosines: Cosines, groups: Groups, block: IntArray
) -> None:
    """Find the keepers of one block, which nothing before it reaches."""
    pairs = _joined(_near(faces, reach, cosines, block, block))
    pairs = pairs[np.lexsort((pairs.other, pairs.one))]
    within = pairs[pairs.cosine >= reach.cosine]
    rows, starts, counts = np.unique(within.one, return_index=True, return_counts=True)
    for row, start, count in zip(rows, starts, counts, strict=True):
        if groups.keeper[row] < 0:
            behind = np.arange(start, start + count)
            still_in = groups.keeper[within.other[behind]] < 0
            groups.put_out(within[behind[still_in]])
    by_keeper = groups.keeper[pairs.one] < 0
    groups.note_misses(pairs[by_keeper & (pairs.cosine < reach.cosine)])


def _first_keeper(groups: Groups, pairs: _Pairs, reach: Reach) -> None:
    """Put faces out for the best keeper that reaches them, whichever comes first."""
    within = pairs[pairs.cosine >= reach.cosine]
    within = within[np.lexsort((within.one, within.other))]
    within = within[np.unique(within.other, return_index=True)[1]]
    now = groups.keeper[within.other]
    groups.put_out(within[(now < 0) | (within.one < now)])
    groups.note_misses(pairs[pairs.cosine < reach.cosine])


def _near(
    faces: RankedFaces, reach: Reach, cosines: Cosines, these: IntArray, those: IntArray
) -> Iterator[_Pairs]:
    """Pairs of the two that are near by both hashes; the second may be put out."""
    phash = faces.phash
    for rows, others in near_in_parts(phash[these], phash[those], reach.phash):
        yield _measured(faces, reach, cosines, these[rows], those[others])


def _measured(
    faces: RankedFaces, reach: Reach, cosines: Cosines, one: IntArray, other: IntArray
) -> _Pairs:
    bits = hamming(faces.dhash[one], faces.dhash[other])
    chosen = (bits <= reach.dhash) & (one < other) & faces.free[other]
    one, other, bits = one[chosen], other[chosen], bits[chosen]
    phash_bits = hamming(faces.phash[one], faces.phash[other])
    return _Pairs(one, other, phash_bits, bits, cosines(one, other))


def _joined(parts: Iterable[_Pairs]) -> _Pairs:
    nothing = np.empty(0, np.int64)
    empty = _Pairs(nothing, nothing, nothing, nothing, np.empty(0, np.float32))
    columns = zip(*(vars(each).values() for each in (empty, *parts)), strict=True)
    return _Pairs(*(np.concatenate(column) for column in columns))
