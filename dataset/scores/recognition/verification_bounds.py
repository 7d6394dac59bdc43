"""Intervals of verification: identities are drawn again, and thresholds with them.

An impostor pair counts as often as both its identities were drawn, w_i w_j. That is
taken as 1 + (w_i - 1) + (w_j - 1), the first order of its Hoeffding decomposition (what
is left out is smaller by the number of identities), so that a table of pairs by one of
their identities is enough. Thresholds move with the drawing: in the bins of a survey,
linear within them; the exact shares take the place of the ones that these bins give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.bootstrap import (
    Bounds,
    draw_weights,
    drawn_bounds,
    rising,
)
from icf.dataset.scores.recognition.pair_blocks import Pairs
from icf.dataset.scores.recognition.survey import Survey, owner_table
from icf.dataset.scores.recognition.unit_vectors import FloatArray

#: Drawings that are computed together.
_AT_ONCE = 100


@dataclass(frozen=True)
class DrawnBounds:
    """Intervals.

    Attributes:
        eer: Of the equal error rate.
        tars: Of each true accept rate.
        frrs: Of the share of genuine pairs rejected at each rate of the curve.
    """

    eer: Bounds
    tars: tuple[Bounds, ...]
    frrs: tuple[Bounds, ...]


def bounds_of(
    pairs: Pairs,
    found: Survey,
    eer: float,
    tars: Mapping[float, float],
    curve: Mapping[float, float],
    seed: int,
) -> DrawnBounds:
    """Draw identities, and compute all shares of each drawing.

    Args:
        pairs: Of the test.
        found: Where impostor pairs are.
        eer: The equal error rate.
        tars: True by false accept rate.
        curve: The same of the curve, by falling rate.
        seed: Of the drawings.
    """
    genuine = owner_table(
        found, pairs.genuine_cosines, pairs.genuine_owner, pairs.owners
    )
    impostors = found.by_owner
    fars = [*tars, *curve]
    ones = np.ones((1, pairs.owners))
    whole = _shares(ones, genuine, impostors, fars)[0]
    weights = draw_weights(pairs.owners, seed)
    drawn = np.concatenate(
        [
            _shares(weights[start : start + _AT_ONCE], genuine, impostors, fars)
            for start in range(0, len(weights), _AT_ONCE)
        ]
    )
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    exact = np.array([eer, *tars.values(), *curve.values()])
    identities = len(np.unique(pairs.genuine_owner))
    shares = np.clip(drawn + (exact - whole), 0, 1)
    made = drawn_bounds(exact, shares, identities)
    # Fewer false accepts, fewer true ones: both are falling.
    of_tars = rising(made[1 : 1 + len(tars)][::-1])[::-1]
    of_curve = rising(made[1 + len(tars) :][::-1])[::-1]
    return DrawnBounds(
        made[0],
        tuple(of_tars),
        tuple(map(_turned, of_curve)),
    )


def _shares(
    weights: FloatArray,
    genuine: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    impostors: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    fars: Sequence[float],
) -> FloatArray:
    """The equal error rate, then TAR at each FAR, of each drawing.

    Returns:
        Shape (drawings, 1 + k); NaN where a drawing has no genuine or impostor pair.
    """
    # Each pair is in the table of both its identities.
    ends = weights @ impostors - impostors.sum(axis=0) / 2
    tar, far = _above(weights @ genuine), _above(np.maximum(ends, 0))
    made = np.full((len(weights), 1 + len(fars)), np.nan)
    for row, (t, f) in enumerate(zip(tar, far, strict=True)):
        if np.isfinite(t[0]) and np.isfinite(f[0]):
            # From the highest cosine down both rise.
            made[row, 1:] = np.interp(fars, f[::-1], t[::-1])
            made[row, 0] = _equal(f, 1 - t)
    return made


def _above(counts: FloatArray) -> FloatArray:
    """The share above each bin's lower edge; 0 above the last edge."""
    sums = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    sums = np.concatenate([sums, np.zeros((len(counts), 1))], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / sums[:, :1], np.float64)


def _equal(far: FloatArray, frr: FloatArray) -> float:
    """Where a falling and a rising line of `COARSE` + 1 points cross."""
    at = int(np.argmax(far <= frr))
    ahead, behind = far[at - 1] - frr[at - 1], frr[at] - far[at]
    share = ahead / (ahead + behind) if ahead + behind > 0 else 0.0
    return float(far[at - 1] + share * (far[at] - far[at - 1]))


def _turned(bounds: Bounds) -> Bounds:
    """The interval of what is left of a share."""
    if bounds.low is None or bounds.high is None:
        return bounds
    return Bounds(1 - bounds.high, 1 - bounds.low)
