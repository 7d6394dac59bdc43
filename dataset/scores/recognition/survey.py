"""A first look at the cosines of impostor pairs: how many are where.

It is taken in float32, twice as fast as float64: it says near which cosine a threshold
is, and how the pairs of each identity are spread. `thresholds` then makes it exact.
Where all cosines are nearly the same, such as of features whose mean is far from 0, it
is taken again between these, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from icf.dataset.scores.recognition.pair_blocks import Pairs
from icf.dataset.scores.recognition.unit_vectors import Features, FloatArray
from icf.icartoonface.recognition import IntArray

#: Bins of all pairs, and of the pairs of one identity.
FINE, COARSE = 1 << 16, 1 << 10
_RATIO = FINE // COARSE
#: It is looked again, closer, where nearly all cosines are in so small a share of the
#: bins; and no closer than a width in which float64 still tells them apart.
_CLOSER, _CLOSEST = 1 / 8, 1e-8
#: The share of pairs that may be below what is looked at: no rate is as high.
_BELOW = 0.01


@dataclass(frozen=True, eq=False)
class Survey:
    """Where impostor pairs are.

    Attributes:
        pairs: How many there are.
        fine: Shape (FINE,): pairs by cosine, ascending, to within float32 or float64.
        by_owner: Shape (owners, COARSE): pairs that each identity is an end of.
        low, high: The cosines that the bins reach from and to; the outermost have no
            end.
    """

    pairs: int
    fine: IntArray
    by_owner: IntArray
    low: float = -1.0
    high: float = 1.0

    def edge(self, fine_bin: int) -> float:
        """The lower edge of a bin."""
        return self.low + fine_bin * (self.high - self.low) / FINE

    def bins_of(
        self, cosines: Features
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
        """Return the fine bin of each cosine, from 0."""
        # Python's numbers, so that float32 stays float32.
        scale = FINE / (self.high - self.low)
        bins = (cosines - self.low) * scale
        return np.clip(bins, 0, FINE - 1, out=bins).astype(np.int32)

    @property
    def above(self) -> IntArray:
        """Shape (FINE + 1,): pairs in each bin and those above it; 0 after the last."""
        return np.append(self.fine[::-1].cumsum()[::-1], 0)


def survey(pairs: Pairs) -> Survey:
    """Count all impostor pairs by their cosine."""
    found = _counted(pairs, np.float32, -1.0, 1.0)
    while (closer := _closer(found)) is not None:
        found = _counted(pairs, np.float64, *closer)
    return found


def _closer(found: Survey) -> tuple[float, float] | None:
    """Between which cosines to look again; None where the bins tell enough."""
    if not found.pairs:
        return None
    reached = np.flatnonzero(found.fine.cumsum() > _BELOW * found.pairs)[0]
    low = found.edge(max(int(reached) - 1, 0))
    high = found.edge(min(int(np.flatnonzero(found.fine)[-1]) + 2, FINE))
    width = max(high - low, _CLOSEST)
    if width > _CLOSER * (found.high - found.low):
        return None
    return low, low + width


def _counted(
    pairs: Pairs, kind: type[np.floating[Any]], low: float, high: float
) -> Survey:
    fine = np.zeros(FINE + 1, np.int64)
    wide = COARSE + 1  # one more bin, for what is no pair of the test
    by_owner = np.zeros(pairs.owners * wide, np.int64)
    empty = Survey(0, fine, by_owner, low, high)
    for block in pairs.impostors(kind):
        bins = empty.bins_of(block.cosines)
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
        low,
        high,
    )


def owner_table(
    found: Survey, cosines: FloatArray, owners: IntArray, count: int
) -> IntArray:
    """Count genuine pairs by identity and coarse bin of a survey.

    Returns:
        Shape (count, COARSE).
    """
    places = owners * COARSE + found.bins_of(cosines) // _RATIO
    return np.bincount(places, minlength=count * COARSE).reshape(count, COARSE)
