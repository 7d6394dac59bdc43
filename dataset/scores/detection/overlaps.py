"""Which detections overlap which true boxes, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.detection.truth import (
    BoolArray,
    FloatArray,
    Found,
    IntArray,
    Truth,
)

_PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pairs of a detection and a true box of one picture that overlap or touch.

    Attributes:
        detection: Shape (e,): rows of detections.
        box: Shape (e,): rows of true boxes.
        plain: Shape (e,): IoU where corners are edges, as pycocotools computes it. Of
            a crowd it is the part of the detection that lies in it.
        inclusive: Shape (e,): IoU where corners are the first and the last pixel: a
            side is x2 - x1 + 1, as in the PASCAL VOC development kit.
    """

    detection: IntArray
    box: IntArray
    plain: FloatArray
    inclusive: FloatArray

    def __getitem__(self, rows: BoolArray | IntArray) -> Overlaps:
        """Take some of the pairs."""
        return Overlaps(
            self.detection[rows],
            self.box[rows],
            self.plain[rows],
            self.inclusive[rows],
        )


def find_overlaps(truth: Truth, found: Found) -> Overlaps:
    """Find all pairs in one picture whose boxes share a pixel or touch."""
    pairs = list(_touching(truth, found))
    detection = np.concatenate([each for each, _ in pairs])
    box = np.concatenate([each for _, each in pairs])
    return Overlaps(
        detection,
        box,
        _plain(truth, found, detection, box),
        _inclusive(truth.boxes.corners[box].T, found.detections.corners[detection].T),
    )


def _touching(truth: Truth, found: Found) -> Iterator[tuple[IntArray, IntArray]]:
    by_picture = np.argsort(truth.boxes.picture, kind="stable")
    sizes = np.bincount(truth.boxes.picture, minlength=len(truth.boxes.pictures))
    starts = np.cumsum(sizes) - sizes
    true = np.ascontiguousarray(truth.boxes.corners[by_picture].T)
    other = np.ascontiguousarray(found.detections.corners.T)
    for rows in _chunks(sizes[found.picture]):
        repeats = sizes[found.picture[rows]]
        ends = np.cumsum(repeats)
        first = starts[found.picture[rows]] - (ends - repeats)
        place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first, repeats)
        row = np.repeat(rows, repeats)
        near = np.ones(len(row), np.bool_)
        for low, high in ((0, 2), (1, 3)):
            near &= true[low][place] <= other[high][row] + 1
            near &= other[low][row] <= true[high][place] + 1
        yield row[near], by_picture[place[near]]


def _chunks(sizes: IntArray) -> Iterator[IntArray]:
    """Rows of detections, split so that a part makes about a million pairs."""
    part = np.cumsum(sizes) // _PAIRS_AT_ONCE
    yield from np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(part)) + 1)


def _plain(
    truth: Truth, found: Found, detection: IntArray, box: IntArray
) -> FloatArray:
    """IoU as `bbIou` of pycocotools: from a corner and two sides."""
    low, side = truth.boxes.corners[box, :2], truth.sides[box]
    at, across = found.detections.corners[detection, :2], found.sides[detection]
    shared = np.minimum(across + at, side + low) - np.maximum(at, low)
    both = np.where((shared > 0).all(axis=1), shared[:, 0] * shared[:, 1], 0.0)
    own = across[:, 0] * across[:, 1]
    union = np.where(truth.crowd[box], own, own + side[:, 0] * side[:, 1] - both)
    return np.divide(both, union, out=np.zeros_like(both), where=both > 0)


def _inclusive(a: FloatArray, b: FloatArray) -> FloatArray:
    """IoU of columns x1, y1, x2, y2; a box with x2 < x1 or y2 < y1 has no area."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) + 1
    shared = np.prod(np.maximum(sides, 0.0), axis=0)
    union = _area(a) + _area(b) - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.asarray(iou, np.float64)


def _area(boxes: FloatArray) -> FloatArray:
    sides = np.maximum(boxes[2:] - boxes[:2] + 1, 0.0)
    return np.asarray(np.prod(sides, axis=0), np.float64)
