"""Intervals of scores by resampling identities.

The pairs of an identity are right or wrong together: a strange hair cut costs all of
them. So identities are drawn with replacement, not pairs (the cluster bootstrap:
Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). A
drawing is a row of weights, how often each identity was drawn; scores are ratios of
sums over identities, so that all drawings are one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.unit_vectors import FloatArray

#: Of every interval.
CONFIDENCE = 0.95
#: Drawings of identities, and the seed of the first of them.
DRAWINGS, SEED = 1000, 0
#: Intervals of fewer identities would promise more than they can hold.
FEWEST = 2
#: The normal quantile of `CONFIDENCE`.
_NORMAL = 1.959964


@dataclass(frozen=True)
class Bounds:
    """An interval.

    Attributes:
        low: its lower end; None: too few identities for any.
        high: its upper end.
    """

    low: float | None
    high: float | None

    def percent(self) -> Bounds:
        """Return the same of percents, where these are of shares."""
        if self.low is None or self.high is None:
            return self
        return Bounds(100 * self.low, 100 * self.high)


NONE = Bounds(None, None)


def draw_weights(identities: int, seed: int = SEED) -> FloatArray:
    """Draw identities with replacement, as many as there are, `DRAWINGS` times.

    Args:
        identities: How many there are.
        seed: The same gives the same drawings.

    Returns:
        Shape (DRAWINGS, identities): how often each was drawn; each row's sum is
        `identities`.
    """
    if not identities:
        return np.zeros((DRAWINGS, 0))
    rng = np.random.default_rng(seed)
    shares = np.full(identities, 1 / identities)
    return rng.multinomial(identities, shares, DRAWINGS).astype(np.float64)


def ratio_bounds(
    parts: FloatArray, wholes: FloatArray, weights: FloatArray
) -> list[Bounds]:
    """The interval of shares, each a sum of parts over a sum of wholes.

    Args:
        parts: Shape (identities, k): what is counted of each, in k scores.
        wholes: Shape (identities,): of how many.
        weights: Shape (drawings, identities), as `draw_weights` makes them.

    Returns:
        k intervals, of shares from 0 to 1.
    """
    used = wholes > 0
    of_each = weights[:, used]
    below = of_each @ wholes[used]
    shares = (of_each @ parts[used]) / np.maximum(below, 1)[:, None]
    estimates = parts[used].sum(axis=0) / max(wholes[used].sum(), 1)
    # A drawing may have none of a few identities; it then says nothing.
    return drawn_bounds(estimates, shares[below > 0], int(used.sum()))


def drawn_bounds(
    estimates: FloatArray, shares: FloatArray, identities: int
) -> list[Bounds]:
    """The percentile interval of shares that were computed of every drawing.

    Where every identity is wholly right, or wholly wrong, drawing again changes nothing
    and would promise certainty. That bound is then Wilson's (1927) of as many
    observations as there are identities: n / (n + z^2) from the other end. Where one
    of few identities is not wholly right, drawing would promise more than that of a
    score that is better: no bound is beyond those of such scores.

    Args:
        estimates: Shape (k,): the shares of all identities, from 0 to 1.
        shares: Shape (drawings, k).
        identities: How many there are; with fewer than two there is no interval.

    Returns:
        k intervals.
    """
    if identities < FEWEST or not len(shares):
        return [NONE] * len(estimates)
    low, high = tails(shares)
    unseen = unseen_share(identities)
    low = np.minimum(low, 1 - unseen)
    high = np.maximum(high, unseen)
    return [Bounds(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def tails(drawn: FloatArray) -> FloatArray:
    """The quantiles between which `CONFIDENCE` of the drawings are, along axis 0."""
    tail = (1 - CONFIDENCE) / 2
    return np.asarray(np.quantile(drawn, (tail, 1 - tail), axis=0))


def unseen_share(identities: int) -> float:
    """The largest share of identities of a kind that none of so many is (Wilson)."""
    return _NORMAL**2 / (identities + _NORMAL**2)


def rising(bounds: Sequence[Bounds]) -> list[Bounds]:
    """Intervals of shares none of which can be less than the one before.

    What holds below a share holds below all that follow, and what holds above one holds
    above all before.

    Args:
        bounds: In that order; all of them are there, or none is.

    Example:
        >>> rising([Bounds(0.9, 0.99), Bounds(0.8, 0.97)])
        [Bounds(low=0.9, high=0.97), Bounds(low=0.9, high=0.97)]
    """
    ends = [(a.low, a.high) for a in bounds if a.low is not None and a.high is not None]
    if len(ends) < len(bounds) or not ends:
        return list(bounds)
    low, high = np.array(ends).T
    lowest = np.maximum.accumulate(low).tolist()
    highest = np.minimum.accumulate(high[::-1])[::-1].tolist()
    return [Bounds(a, b) for a, b in zip(lowest, highest, strict=True)]
