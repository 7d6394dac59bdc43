"""The conventions `official` and `voc_all_point`: corners are pixels, whole curve.

Both match a detection to the true box it overlaps most, the first of equals, and count
it as false if that box is taken (PASCAL VOC development kit, ``VOCevaldet``). They
differ in who comes first in a picture: the file's order, or the score.

The published script of iCartoonFace walks through the pictures that have a box, in
the order of the truth's file, and through the detections of each in the submission's
order. So it never sees what was detected in a picture without a box. It then sorts by
score with NumPy's quicksort, which leaves equal scores neither in the file's order nor
in another that a reader would guess, but in one that follows from the scores alone:
`script_sorted` is that sort. `tie_bounds` says between which figures any order lies.
"""

from __future__ import annotations

import numpy as np

from icf.dataset.scores.detection.curves import all_point
from icf.dataset.scores.detection.overlaps import Overlaps
from icf.dataset.scores.detection.truth import (
    BoolArray,
    FloatArray,
    Found,
    IntArray,
    Truth,
    order_of,
)

IOU = 0.5
NOBODY = -1


def voc_matches(overlaps: Overlaps, order: np.ndarray) -> np.ndarray:
    """Match each detection to its best true box; the first in the order gets it.

    Args:
        overlaps: Of detections and true boxes.
        order: Shape (n,): rows of detections, the first served first.

    Returns:
        Shape (n,), int64: for each detection the row of its box, `NOBODY` for a false
        one.
    """
    some = overlaps[overlaps.inclusive >= IOU]
    turn = np.empty(len(order), np.int64)
    turn[order] = np.arange(len(order))
    # One pair per detection: the most overlapping true box, the first among equals.
    ranked = np.lexsort((some.box, -some.inclusive, some.detection))
    best = ranked[firsts(some.detection[ranked])]
    ranked = best[np.lexsort((turn[some.detection[best]], some.box[best]))]
    winners = ranked[firsts(some.box[ranked])]
    matched = np.full(len(order), NOBODY, np.int64)
    matched[some.detection[winners]] = some.box[winners]
    return matched


def firsts(values: np.ndarray) -> BoolArray:
    """Mark the first of each run of equal values that are not negative."""
    return np.asarray(np.diff(values, prepend=-1) != 0, np.bool_)


def without_crowds(truth: Truth, overlaps: Overlaps) -> Overlaps:
    """Leave out the overlaps with boxes of many faces."""
    return overlaps[~truth.crowd[overlaps.box]] if truth.crowd.any() else overlaps


def official_order(truth: Truth, found: Found) -> np.ndarray:
    """Rows of the detections that the published script sees, in its own order."""
    has_box = np.zeros(len(truth.boxes.pictures), np.bool_)
    has_box[truth.boxes.picture[~truth.crowd]] = True
    walk = order_of(found.picture, len(truth.boxes.pictures))
    return np.asarray(walk[has_box[found.picture[walk]]])


def script_sorted(scores: FloatArray) -> IntArray:
    """Rows by descending score, equal ones as the published script's sort leaves them.

    It is ``numpy.argsort(-scores)``, written for NumPy 1.18 and running on none from
    1.24 on. These have one quicksort for all numbers, on every machine: the median of
    three, insertion below 17 rows. Later ones have others for float64, by processor,
    and still that one for extended numbers, which compare as float64 do.

    Example:
        >>> script_sorted(np.array([0.5] * 17)).tolist()[:5]
        [0, 14, 13, 12, 11]
    """
    return np.argsort((-scores).astype(np.longdouble), kind="quicksort")


def tie_bounds(hits: BoolArray, scores: FloatArray, count: int) -> tuple[float, float]:
    """Least and greatest area under the curve, however equal scores are ordered.

    Args:
        hits: Shape (n,): which detections are true, in any order.
        scores: Shape (n,): their scores.
        count: True boxes.
    """
    sorted_scores = np.sort(scores)
    if not np.any(sorted_scores[1:] == sorted_scores[:-1]):
        area = all_point(hits[np.argsort(-scores)], count)
        return area, area
    false_first = np.lexsort((hits, -scores))
    true_first = np.lexsort((~hits, -scores))
    return all_point(hits[false_first], count), all_point(hits[true_first], count)
