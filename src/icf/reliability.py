"""How far probabilities can be believed: against what turned out to be true."""

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
    """Answered questions of about the same probability.

    Attributes:
        count: how many.
        predicted: their mean probability.
        observed: the share that people said to be the same character.
    """

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Reliability:
    """Probabilities held against answers.

    Attributes:
        bins: those that have answers, from the least probable on.
        error: the expected calibration error (Guo et al. 2017, equation 3): the mean
            distance of predicted and observed, each bin counted by its answers.
        log_loss: the mean of -log of what was given to the answer that came.
    """

    bins: Sequence[Bin]
    error: float
    log_loss: float


def expected_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error of bins, at least one of which has answers."""
    off = sum(each.count * abs(each.predicted - each.observed) for each in bins)
    return off / sum(each.count for each in bins)


def reliability(
    probability: NDArray[np.float64], same: NDArray[np.bool_]
) -> Reliability:
    """Hold probabilities against what people answered.

    Args:
        probability: of being the same, shape (n,), n at least 1.
        same: shape (n,), what people said.

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
