"""Overlapping boxes: intersection over union, matching, suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

#: Of so many boxes at once the overlaps with all others are computed.
_BLOCK = 128


def iou(some: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Intersection over union of each pair.

    Args:
        some: shape (n, 4): x1, y1, x2, y2.
        others: shape (m, 4).

    Returns:
        Shape (n, m), from 0 to 1.

    >>> a = np.array([[0, 0, 2, 2]], np.float32)
    >>> iou(a, np.array([[0, 0, 2, 1], [5, 5, 6, 6]], np.float32)).tolist()
    [[0.5, 0.0]]
    """
    left, top, right, bottom = some.T[:, :, None]
    wide = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    high = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    union = _areas(some)[:, None] + _areas(others) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def _areas(boxes: Boxes) -> NDArray[np.float32]:
    wide, high = (np.maximum(boxes[:, k + 2] - boxes[:, k], 0) for k in (0, 1))
    return np.asarray(wide * high)


def matched(some: Boxes, others: Boxes, least: float) -> list[tuple[int, int]]:
    """Pair boxes one to one, those that overlap most first.

    Args:
        some: shape (n, 4).
        others: shape (m, 4).
        least: lowest IoU of a pair, above 0.

    Returns:
        Indices of each pair.

    >>> box = np.array([[0, 0, 2, 2]], np.float32)
    >>> matched(box, np.array([[5, 5, 6, 6], [0, 0, 2, 2]], np.float32), 0.5)
    [(0, 1)]
    """
    overlap = iou(some, others)
    pairs = []
    while overlap.size and overlap.max() >= least:
        one, other = np.unravel_index(overlap.argmax(), overlap.shape)
        pairs.append((int(one), int(other)))
        overlap[one, :] = overlap[:, other] = -1
    return pairs


def suppress(
    boxes: Boxes, scores: NDArray[np.float32], most: float
) -> NDArray[np.intp]:
    """Keep the best of boxes that overlap (greedy non-maximum suppression).

    Args:
        boxes: shape (n, 4).
        scores: shape (n,).
        most: IoU above which the lower-scored box is dropped.

    Returns:
        Indices of the kept boxes, best first; of equal scores the first.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2:
        return order
    kept: list[np.intp] = []
    while order.size:
        some = order[:_BLOCK]
        # Boxes of no numbers overlap all others.
        overlapping = ~(iou(boxes[some], boxes[order]) <= most)
        dropped = np.zeros(len(order), np.bool_)
        for number, best in enumerate(some):
            if not dropped[number]:
                kept.append(best)
                dropped |= overlapping[number]
        order = order[_BLOCK:][~dropped[_BLOCK:]]
    return np.array(kept, np.intp)
