"""Two recognisers on one test: how far apart they are, and how sure that is.

Both see the same pictures, so what is hard for one is mostly hard for the other. The
difference of two scores is therefore known better than either score, and intervals that
overlap say little. Identities are drawn again, the same ones for both (the paired
bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, 3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.bootstrap import (
    FEWEST,
    NONE,
    Bounds,
    draw_weights,
    tails,
    unseen_share,
)
from icf.icartoonface.recognition import IntArray


@dataclass(frozen=True)
class Difference:
    """How much better one recogniser is than the other at a rank.

    Attributes:
        rank: The rank.
        other: Percent of pairs that the other has within it.
        points: Percent of the one less that of the other.
        bounds: The interval of this difference, in points.
    """

    rank: int
    other: float
    points: float
    bounds: Bounds


def compare_ranks(
    ranks: IntArray,
    others: IntArray,
    owners: IntArray,
    at: Sequence[int],
    seed: int,
) -> tuple[Difference, ...]:
    """Compare what two recognisers give for the same pairs.

    Args:
        ranks: Shape (m,), the rank of each pair by the one, from 1.
        others: Shape (m,), by the other.
        owners: Shape (m,), the identity of each pair.
        at: Ranks to compare at.
        seed: Of the drawings of identities.

    Example:
        >>> ranks, others = np.array([1, 1, 1, 9]), np.array([1, 5, 1, 1])
        >>> owners = np.array([0, 0, 1, 1])
        >>> (found,) = compare_ranks(ranks, others, owners, [5], 0)
        >>> found.other, found.points
        (100.0, -25.0)
    """
    _, codes = np.unique(owners, return_inverse=True)
    pairs = np.bincount(codes).astype(np.float64)
    weights = draw_weights(len(pairs), seed)
    found = []
    for rank in at:
        more = (ranks <= rank).astype(np.float64) - (others <= rank)
        of_each = np.bincount(codes, more)
        drawn = (weights @ of_each) / (weights @ pairs)
        found.append(
            Difference(
                rank,
                100 * float(np.mean(others <= rank)),
                100 * float(np.mean(more)),
                _bounds(drawn, len(pairs)).percent(),
            )
        )
    return tuple(found)


def _bounds(drawn: np.ndarray, identities: int) -> Bounds:
    """The percentile interval of differences from -1 to 1.

    Where every identity differs alike, drawing again changes nothing and would promise
    certainty. Of those that are not in the test, up to `unseen_share` may be otherwise.
    """
    if identities < FEWEST:
        return NONE
    low, high = tails(drawn)
    if low == high:
        unseen = unseen_share(identities)
        low, high = max(-1.0, low - unseen), min(1.0, high + unseen)
    return Bounds(float(low), float(high))
