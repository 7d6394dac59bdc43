"""Precision, recall and the area under them, of detections that are true or false."""

from __future__ import annotations

import numpy as np

from icf.dataset.scores.detection.truth import BoolArray, FloatArray

#: At which recalls COCO takes the precision (pycocotools, ``Params.recThrs``).
RECALLS = np.linspace(0.0, 1.0, 101)


def curve(hits: BoolArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Compute recall, and the best precision at that recall or higher.

    Args:
        hits: Shape (n,): which detections are true, the surest first.
        count: True boxes.
    """
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    return true / count, np.maximum.accumulate(precision[::-1])[::-1]


def all_point(hits: BoolArray, count: int) -> float:
    """Compute the area under the whole curve (PASCAL VOC since 2010).

    >>> all_point(np.array([True, False, True]), 2)
    0.8333333333333333
    """
    recall, precision = curve(hits, count)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def at_recalls(recall: FloatArray, precision: FloatArray) -> FloatArray:
    """Take a curve's precision at `RECALLS`, 0 beyond the highest recall reached."""
    return np.append(precision, 0.0)[np.searchsorted(recall, RECALLS)]
