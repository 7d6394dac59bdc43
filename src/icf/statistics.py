"""Estimates with intervals: of 95% where nothing else is said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """An estimate.

    Attributes:
        value: the estimate.
        low, high: its interval.
    """

    value: float
    low: float
    high: float


def share(count: int, total: int, wrong: float = 0.0) -> Interval:
    """A share of few observations (Wilson 1927), some of which are wrong.

    Args:
        count: how many were counted.
        total: of how many; at least one.
        wrong: the probability that one of them is counted wrongly, either way.

    >>> made = share(0, 30)
    >>> made.value, round(made.low, 2), round(made.high, 2)
    (0.0, 0.0, 0.11)
    """
    normal = _NORMAL.inv_cdf(0.975)
    observed, square = count / total, normal**2
    middle = (observed + square / (2 * total)) / (1 + square / total)
    spread = observed * (1 - observed) / total + square / (4 * total**2)
    half = normal * math.sqrt(spread) / (1 + square / total)
    # Of none or of all, the bound is 0 or 1 exactly, but for rounding.
    least = middle - half if count else 0.0
    most = middle + half if count < total else 1.0
    value, low, high = (
        min(max((each - wrong) / (1 - 2 * wrong), 0.0), 1.0)
        for each in (observed, least, most)
    )
    return Interval(value, low, high)


def mean_of_clusters(
    values: FloatArray,
    weights: FloatArray,
    clusters: NDArray[np.int64],
    level: float = 0.95,
) -> Interval:
    """A weighted mean of values that are not independent within their cluster.

    Args:
        values: shape (n,), n at least 1.
        weights: shape (n,).
        clusters: shape (n,), the cluster of each value. With a single one the interval
            has no bounds.
        level: of the interval.
    """
    total = weights.sum()
    mean = float(weights @ values / total)
    found, place = np.unique(clusters, return_inverse=True)
    count = len(found)
    if count < 2:
        return Interval(mean, -math.inf, math.inf)
    off = np.bincount(place, weights * (values - mean), minlength=count) / total
    error = math.sqrt(float(off @ off) * count / (count - 1))
    half = student(count - 1, (1 + level) / 2) * error
    return Interval(mean, mean - half, mean + half)


def student(freedom: int, share: float = 0.975) -> float:
    """A quantile of Student's distribution.

    Exact for one and two degrees of freedom, otherwise by its expansion in one over
    them.

    >>> [round(student(each), 2) for each in (1, 4, 10, 1000)]
    [12.71, 2.77, 2.23, 1.96]
    """
    if freedom == 1:
        return math.tan(math.pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    z = _NORMAL.inv_cdf(share)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
