"""Overlapping boxes: intersection over union, matching, suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


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
    corner = np.maximum(some[:, None, :2], others[None, :, :2])
    other = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.clip(other - corner, 0, None).prod(2)
    areas = [np.clip(b[:, 2:] - b[:, :2], 0, None).prod(1) for b in (some, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


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
    kept: list[np.intp] = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[iou(boxes[best][None], boxes[order])[0] <= most]
    return np.array(kept, np.intp)
