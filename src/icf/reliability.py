"""Reliability of probabilities, measured on people's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width (Guo et al. 2017, On Calibration of Modern Neural Networks).
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answered questions of similar probability.

    Attributes:
        count: number of questions.
        predicted: their mean probability.
        observed: the share that people answered with "same".
    """

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Reliability:
    """Probabilities compared with answers.

    Attributes:
        bins: those that have answers, by ascending probability.
        error: the expected calibration error (Guo et al. 2017, equation 3): the mean
            distance of predicted and observed, bins weighted by their answers.
        log_loss: the mean of -log of the probability of the given answer.
    """

    bins: Sequence[Bin]
    error: float
    log_loss: float


def expected_error(bins: Sequence[Bin]) -> float:
    """Compute the expected calibration error; at least one bin must have answers."""
    off = sum(each.count * abs(each.predicted - each.observed) for each in bins)
    return off / sum(each.count for each in bins)


def reliability(
    probability: NDArray[np.float64], same: NDArray[np.bool_]
) -> Reliability:
    """Compare probabilities with people's answers.

    Args:
        probability: of being the same, shape (n,), n at least 1.
        same: shape (n,), True where people answered "same".

    >>> made = reliability(np.array([0.25, 0.25, 0.95]), np.array([True, False, True]))
    >>> round(made.error, 3)
    0.183
    """
    place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    bins = [
        Bin(int(some.sum()), float(probability[some].mean()), float(same[some].mean()))
        for some in (place == each for each in np.unique(place))
    ]
    tiny = np.finfo(np.float64).tiny
    given: NDArray[Any] = np.where(same, probability, 1 - probability)
    loss = -np.log(np.maximum(given, tiny)).mean()
    return Reliability(bins, expected_error(bins), float(loss))
