"""How often people answer wrongly, estimated from questions that several answered.

Two people who err independently with probability e agree with probability
``e**2 + (1 - e)**2``, so their disagreements tell e. What they get wrong together (a
wrong reference, a drawing that misleads everybody) is not seen this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.catalogue.sampling import IntArray

#: The prior is log-normal, with this median and standard deviation of the logarithm: a
#: mean of 3%, 95% of it between 0.5% and 11%.
PRIOR = (0.022, 0.8)


@dataclass(frozen=True)
class AnnotatorError:
    """The probability that one answer is wrong.

    Attributes:
        rate: the estimate.
        low, high: its 95% interval.
        repeated: number of questions that it was estimated from; 0: it is the prior.
    """

    rate: float
    low: float
    high: float
    repeated: int


def estimate(votes: IntArray) -> AnnotatorError:
    """Estimate how often people answer wrongly.

    Args:
        votes: how many said yes and how many no, of each question that several people
            answered, shape (n, 2).

    >>> none = estimate(np.empty((0, 2), np.int64))
    >>> round(none.rate, 2), round(none.low, 3), round(none.high, 2)
    (0.03, 0.004, 0.11)
    """
    rate = (np.arange(2500) + 0.5) / 5000
    median, deviation = PRIOR
    log = -np.log(rate) - (np.log(rate / median) / deviation) ** 2 / 2
    patterns, counts = np.unique(np.sort(votes, axis=1), axis=0, return_counts=True)
    for (few, many), count in zip(patterns, counts, strict=True):
        each = rate**few * (1 - rate) ** many + rate**many * (1 - rate) ** few
        log = log + count * np.log(each)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    low, high = np.interp([0.025, 0.975], np.cumsum(weight), rate)
    return AnnotatorError(float(weight @ rate), float(low), float(high), len(votes))
