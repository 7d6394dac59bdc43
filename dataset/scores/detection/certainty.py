"""Whether a detector's scores are probabilities, and how sure the figures are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf import reliability
from icf.dataset.scores.detection.curves import RECALLS
from icf.dataset.scores.detection.operating import Outcomes
from icf.dataset.scores.detection.truth import BoolArray, FloatArray, IntArray
from icf.reliability import Reliability
from icf.statistics import share

#: Middle share of the draws that an interval has.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A 95% interval; both from 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Resampled:
    """A curve and its area, with how much they change from set to set.

    Attributes:
        area: The interval of the area under the whole curve.
        at_recalls: The interval of the mean precision at 101 recalls.
        low: Shape (101,): precision at each recall.
        high: Shape (101,).
    """

    area: Interval
    at_recalls: Interval
    low: FloatArray
    high: FloatArray


def calibration(made: Outcomes) -> Reliability | None:
    """Compare scores with the share of detections that are true at IoU 0.5.

    What is not found has no score, and does not count.

    Returns:
        None where there is no detection, or scores are no probabilities: below 0 or
        above 1.
    """
    scores = made.scores
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    return reliability.reliability(scores, made.hits)


def certain(
    hits: BoolArray,
    picture: IntArray,
    boxes: IntArray,
    draws: int,
) -> Resampled:
    """As `resample`, and no interval promises more than so few pictures can.

    Where every picture is wholly right, all draws are, and would promise certainty. So
    no bound is beyond Wilson's (1927) of a perfect score, or of a hopeless one, of as
    many observations as there are pictures with a true box: n / (n + 1.96^2), and what
    is left to 1.
    """
    made = resample(hits, picture, boxes, draws)
    pictures = max(int(np.count_nonzero(boxes)), 1)
    least, most = share(0, pictures).high, share(pictures, pictures).low

    def widened(each: Interval) -> Interval:
        return Interval(min(each.low, most), max(each.high, least))

    return Resampled(
        widened(made.area),
        widened(made.at_recalls),
        np.minimum(made.low, most),
        np.maximum(made.high, least),
    )


def resample(
    hits: BoolArray,
    picture: IntArray,
    boxes: IntArray,
    draws: int,
) -> Resampled:
    """Draw pictures with replacement, and score each draw.

    Boxes of one picture are found or lost together, so pictures are what is drawn
    (cluster bootstrap: Davison and Hinkley 1997, Bootstrap Methods, section 3.8).

    Args:
        hits: Shape (n,): which detections are true, the surest first.
        picture: Shape (n,): the picture of each.
        boxes: Shape (pictures,): true boxes of each picture.
        draws: How many.
    """
    rng = np.random.default_rng(0)
    pictures = len(boxes)
    true = np.flatnonzero(hits)
    areas, means = np.zeros(draws), np.zeros(draws)
    curves = np.zeros((draws, len(RECALLS)))
    for draw in range(draws):
        times = np.bincount(rng.integers(0, pictures, pictures), minlength=pictures)
        count = int(times @ boxes)
        weights = times.astype(np.int32)[picture]
        own = weights[true]
        shown = own > 0
        if not count or not shown.any():
            continue
        found = np.cumsum(own)
        precision = found[shown] / np.cumsum(weights)[true][shown]
        best = np.maximum.accumulate(precision[::-1])[::-1]
        recall = found[shown] / count
        areas[draw] = np.sum(own[shown] * best) / count
        curves[draw] = np.append(best, 0.0)[np.searchsorted(recall, RECALLS)]
        means[draw] = curves[draw].mean()
    low, high = np.quantile(curves, _TAILS, axis=0)
    return Resampled(_interval(areas), _interval(means), low, high)


_TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def _interval(values: FloatArray) -> Interval:
    low, high = np.quantile(values, _TAILS).tolist()
    return Interval(low, high)
