"""Reliability of probabilities, measured on people's answers.

The expected calibration error of few answers is too high: of a perfect model and 40
answers it is about 0.16, because each bin has chance in it. So it is given with the
error that would show as much in the middle (`Reliability.corrected`), and with those
that would show as little, or as much, in one of forty cases (`Reliability.low`,
`Reliability.high`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Bins of equal width (Guo et al. 2017, On Calibration of Modern Neural Networks).
BINS = 10

_DRAWS = 400
_GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Bin:
    """Answered questions of similar probability.

    Attributes:
        count: number of questions.
        predicted: their mean probability.
        observed: the share that people answered with "same", corrected for the answers
            that are wrong; from 0 to 1.
        share: of all faces that the questions represent, those in this bin.
    """

    count: int
    predicted: float
    observed: float
    share: float


@dataclass(frozen=True)
class Reliability:
    """Probabilities compared with answers.

    Attributes:
        bins: those that have answers, by ascending probability.
        error: the expected calibration error (Guo et al. 2017, equation 3): the mean
            distance of predicted and observed, bins weighted by what they represent.
        corrected: the same without what is chance: the error of which the measured one
            is the median.
        low, high: 95% interval of the error.
        log_loss: the mean of -log of the probability of the given answer.
    """

    bins: Sequence[Bin]
    error: float
    corrected: float
    low: float
    high: float
    log_loss: float


def reliability(
    probability: FloatArray,
    same: NDArray[np.bool_],
    weights: FloatArray | None = None,
    wrong: FloatArray | float = 0.0,
) -> Reliability:
    """Compare probabilities with people's answers.

    Args:
        probability: of being the same, shape (n,), n at least 1.
        same: shape (n,), True where people answered "same".
        weights: shape (n,), how many faces each stands for, not all 0; None: one.
        wrong: shape (n,) or one number, the probability that an answer is wrong, under
            0.5.

    >>> made = reliability(np.array([0.25, 0.25, 0.95]), np.array([True, False, True]))
    >>> round(made.error, 3)
    0.183
    """
    if weights is None:
        weights = np.ones(len(probability))
    counted = weights > 0
    wrong = np.broadcast_to(wrong, probability.shape)[counted]
    probability, same, weights = probability[counted], same[counted], weights[counted]
    # Its mean is the share that is the same, whoever is wrong.
    truth = (same - wrong) / (1 - 2 * wrong)
    place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    found, place = np.unique(place, return_inverse=True)

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(place, values, minlength=len(found)).astype(np.float64)

    weight, counts = total(weights), total(np.ones(len(place)))
    predicted = total(weights * probability) / weight
    observed = total(weights * truth) / weight
    share = weight / weight.sum()
    said = wrong + (1 - 2 * wrong) * probability
    # Two more answers as predicted, so that few equal ones do not seem certain.
    rate = ((total(said) * 2 / counts + total(same.astype(float))) / (counts + 2))[
        place
    ]
    spread = np.maximum(said * (1 - said), rate * (1 - rate)) / (1 - 2 * wrong) ** 2
    chance = np.sqrt(total(weights**2 * spread)) / weight
    error = float(share @ np.abs(observed - predicted))
    corrected, low, high = _without_chance(error, share, chance)
    bins = [
        Bin(int(n), float(p), float(np.clip(o, 0, 1)), float(s))
        for n, p, o, s in zip(counts, predicted, observed, share, strict=True)
    ]
    loss = float(log_losses(probability, same, wrong) @ weights / weights.sum())
    return Reliability(bins, error, corrected, low, high, loss)


def log_losses(
    probability: FloatArray, same: NDArray[np.bool_], wrong: FloatArray | float = 0.0
) -> FloatArray:
    """-log of the probability of each given answer, shape (n,)."""
    said = wrong + (1 - 2 * wrong) * probability
    tiny = np.finfo(np.float64).tiny
    return np.asarray(-np.log(np.maximum(np.where(same, said, 1 - said), tiny)))


def _without_chance(
    error: float, share: FloatArray, chance: FloatArray
) -> tuple[float, float, float]:
    """The true errors of which ``error`` is the median, and a bound of the middle 95%.

    A true error is thought to be equal in all bins.

    Args:
        error: the measured one.
        share: shape (bins,), the share of each bin.
        chance: shape (bins,), standard deviation of the observed share in each bin.
    """
    noise = np.random.default_rng(0).standard_normal((_DRAWS, len(share))) * chance
    shown = np.abs(_GRID[:, None, None] + noise) @ share

    def behind(quantile: float) -> float:
        return float(np.interp(error, np.quantile(shown, quantile, axis=1), _GRID))

    # Answers that agree better than chance allows do not prove that there is no error.
    return behind(0.5), behind(0.975), max(behind(0.025), error)
