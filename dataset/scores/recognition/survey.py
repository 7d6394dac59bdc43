"""A first look at the cosines of impostor pairs: how many are where.

It is taken in float32, twice as fast as float64: it says near which cosine a threshold
is, and how the pairs of each identity are spread. `thresholds` then makes it exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.pair_blocks import Pairs
from icf.dataset.scores.recognition.unit_vectors import Features, FloatArray
from icf.icartoonface.recognition import IntArray

#: Bins from -1 to 1 of all pairs, and of the pairs of one identity.
FINE, COARSE = 1 << 16, 1 << 10
_RATIO = FINE // COARSE


@dataclass(frozen=True, eq=False)
class Survey:
    """Where impostor pairs are.

    Attributes:
        pairs: How many there are.
        fine: Shape (FINE,): pairs by cosine, ascending, to within float32.
        by_owner: Shape (owners, COARSE): pairs that each identity is an end of.
    """

    pairs: int
    fine: IntArray
    by_owner: IntArray

    @property
    def above(self) -> IntArray:
        """Shape (FINE + 1,): pairs in each bin and those above it; 0 after the last."""
        return np.append(self.fine[::-1].cumsum()[::-1], 0)


def survey(pairs: Pairs) -> Survey:
    """Count all impostor pairs by their cosine."""
    fine = np.zeros(FINE + 1, np.int64)
    wide = COARSE + 1  # one more bin, for what is no pair of the test
    by_owner = np.zeros(pairs.owners * wide, np.int64)
    for block in pairs.impostors(np.float32):
        bins = bins_of(block.cosines)
        bins[~block.counted] = FINE
        fine += np.bincount(bins.ravel(), minlength=FINE + 1)
        bins //= _RATIO
        for owner in (block.left, block.right):
            first, last = int(owner.min()), int(owner.max()) + 1
            places = bins + (owner - first).astype(np.int32) * wide
            counts = np.bincount(places.ravel(), minlength=(last - first) * wide)
            by_owner[first * wide : last * wide] += counts
    return Survey(
        int(fine[:FINE].sum()),
        fine[:FINE],
        by_owner.reshape(-1, wide)[:, :COARSE],
    )


def bins_of(cosines: Features) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Return the fine bin of each cosine, from 0."""
    bins = ((cosines + 1) * (FINE / 2)).astype(np.int32)
    return np.clip(bins, 0, FINE - 1, out=bins)


def owner_table(cosines: FloatArray, owners: IntArray, count: int) -> IntArray:
    """Count genuine pairs by identity and coarse bin.

    Returns:
        Shape (count, COARSE).
    """
    places = owners * COARSE + bins_of(cosines) // _RATIO
    return np.bincount(places, minlength=count * COARSE).reshape(count, COARSE)
