"""The difference of two models on the same items, with one-sided bounds.

Items of one cluster (the faces of a character, the pictures of an album) are alike: an
interval that takes them for independent is too narrow. So whole clusters are drawn
(Davison and Hinkley 1997, section 3.8; Field and Welsh 2007), and both models are
measured on the same draw, so that what is hard for both cancels out.

Where few of the clusters decide, draws alone promise too much: the error has as many
degrees of freedom as clusters that matter, which may be far fewer than there are
(Carter, Schnepel and Steigerwald 2017). The tests simulate how often a model that is
worse by the margin gets through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.statistics import student

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: From how often each cluster was drawn, shape (draws, clusters), to the difference of
#: a figure, challenger less champion, shape (draws,).
Figure = Callable[[Floats], Floats]

RESAMPLES = 2_000
SEED = 12
#: Chance of seeing a loss of the smallest visible size.
POWER = 0.8
#: How many draws are held in memory at a time.
_BLOCK = 100
#: Of less a difference is rounding.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Difference:
    """How much better the challenger is than the champion.

    Attributes:
        value: figure of the challenger less that of the champion.
        low: it is not less than this, with the confidence asked for.
        high: it is not more than this, with the same confidence.
        error: its standard error, by the bootstrap.
        clusters: how many were compared.
        visible: the smallest loss that such a set shows with a chance of `POWER`.
    """

    value: float
    low: float
    high: float
    error: float
    clusters: int
    visible: float


def difference_of_means(
    differences: Floats, clusters: Ints, confidence: float, resamples: int = RESAMPLES
) -> Difference:
    """Bound the mean of differences that are alike within clusters.

    Args:
        differences: shape (n,): challenger less champion, of each item.
        clusters: shape (n,): the cluster of each.
        confidence: of each bound, such as 0.95.
        resamples: number of draws.
    """
    found, place = np.unique(clusters, return_inverse=True)
    sums = np.bincount(place, differences, len(found))
    sizes = np.bincount(place, minlength=len(found)).astype(np.float64)
    return difference(
        lambda drawn: drawn @ sums / (drawn @ sizes), len(found), confidence, resamples
    )


def difference(
    figure: Figure, clusters: int, confidence: float, resamples: int = RESAMPLES
) -> Difference:
    """Bound the difference of any figure of clusters.

    Each bound is the wider one of two: the percentile of the draws, and that of
    Student's distribution with the error of the draws. The lower one, which lets models
    pass, counts as many degrees of freedom as clusters matter, less one; the upper one,
    which blames them, as many as there are clusters, less one.

    Args:
        figure: gives the difference for draws of clusters.
        clusters: how many there are.
        confidence: of each bound, such as 0.95.
        resamples: number of draws.

    Returns:
        The difference; without bounds where there are fewer than two clusters.
    """
    value = float(figure(np.ones((1, clusters)))[0]) if clusters else 0.0
    if clusters < 2:
        infinite = math.inf
        return Difference(value, -infinite, infinite, infinite, clusters, infinite)
    drawn = np.concatenate([figure(some) for some in draws(clusters, resamples)])
    error = float(drawn.std()) * math.sqrt(clusters / (clusters - 1))
    freedom = max(1, math.floor(_that_matter(figure, clusters, value) - 1))
    below = student(freedom, confidence) * error
    above = student(clusters - 1, confidence) * error
    return Difference(
        value,
        min(value - below, float(np.quantile(drawn, 1 - confidence))),
        max(value + above, float(np.quantile(drawn, confidence))),
        error,
        clusters,
        (student(clusters - 1, confidence) + student(clusters - 1, POWER)) * error,
    )


def draws(clusters: int, resamples: int) -> Iterator[Floats]:
    """Draw clusters with replacement: always the same draws.

    Yields:
        How often each was drawn: arrays of shape (draws, clusters), ``resamples`` rows
        together.
    """
    random = np.random.default_rng(SEED)
    for start in range(0, resamples, _BLOCK):
        rows = min(_BLOCK, resamples - start)
        chosen = random.integers(0, clusters, (rows, clusters))
        chosen += np.arange(rows)[:, None] * clusters
        drawn = np.bincount(chosen.ravel(), minlength=rows * clusters)
        yield drawn.reshape(rows, clusters).astype(np.float64)


def _that_matter(figure: Figure, clusters: int, value: float) -> float:
    """How many clusters the variance comes from: all of them, if all are alike.

    One over the sum of the squared shares that each cluster has in it, as the figure
    without that cluster shows.
    """
    off = np.empty(clusters)
    for start in range(0, clusters, _BLOCK):
        left_out = np.arange(start, min(start + _BLOCK, clusters))
        weights = np.ones((len(left_out), clusters))
        weights[np.arange(len(left_out)), left_out] = 0
        off[left_out] = figure(weights) - value
    squares = off**2
    if squares.sum() < _NOTHING**2:
        return float(clusters)
    return float(squares.sum() ** 2 / (squares @ squares))
