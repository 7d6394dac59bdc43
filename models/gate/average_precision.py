"""Average precision at IoU 0.5 of many pictures, for any draw of them at once.

A detection is matched to the best true box that is still free (as pycocotools does),
the best detection of the picture first; the area under the whole interpolated curve
counts (PASCAL VOC 2010). A picture that is drawn twice has all its boxes twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.overlap import iou

Boxes = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Overlap from which on a box is that of a face.
IOU = 0.5


@dataclass(frozen=True, eq=False)
class TrueFaces:
    """The faces of a picture.

    Attributes:
        boxes: shape (n, 4): x1, y1, x2, y2; to be found.
        ignored: shape (m, 4): neither faces to find nor background.
    """

    boxes: Boxes
    ignored: Boxes


@dataclass(frozen=True, eq=False)
class FoundFaces:
    """What a detector found in a picture.

    Attributes:
        boxes: shape (n, 4).
        scores: shape (n,), falling.
    """

    boxes: Boxes
    scores: Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """The matched boxes of many pictures, the best first; d boxes, p pictures.

    Attributes:
        picture: shape (d,), the picture of each.
        hit: shape (d,), whether it is the first on its face.
        faces: shape (p,), how many there are to find in each picture.
    """

    picture: Ints
    hit: Flags
    faces: Ints

    def average_precision(self, drawn: Floats) -> Floats:
        """The average precision of draws of pictures.

        Args:
            drawn: shape (draws, p), how often each picture was drawn.

        Returns:
            Shape (draws,); 0 for a draw without a face.
        """
        # Precision is highest at hits, so the others only count as boxes before them.
        at = np.flatnonzero(self.hit)
        if not len(at):
            return np.zeros(len(drawn))
        hits = drawn[:, self.picture[at]]
        upto = self.picture[: at[-1] + 1]
        before = np.cumsum(drawn[:, upto], axis=1)[:, at]
        precision = np.cumsum(hits, axis=1) / np.maximum(before, 1e-12)
        falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        faces = drawn @ self.faces
        area = (falling * hits).sum(axis=1)
        return np.asarray(np.where(faces > 0, area / np.maximum(faces, 1e-12), 0.0))

    def figure(self) -> float:
        """The average precision of all pictures."""
        return float(self.average_precision(np.ones((1, len(self.faces))))[0])


#: From and up to which shorter side a face is looked for, in pixels.
Size = tuple[float, float]
ANY: Size = (0.0, math.inf)


def matched(
    truth: Sequence[TrueFaces], found: Sequence[FoundFaces], size: Size = ANY
) -> Curve:
    """Match what was found in pictures to what is there, in the same order.

    Args:
        truth: of each picture.
        found: in each picture.
        size: faces of another are ignored, and boxes of another on no face.
    """
    pictures, hits, scores = [], [], []
    for number, (there, seen) in enumerate(zip(truth, found, strict=True)):
        hit, counts = _matched(there, seen)
        counts &= hit | _is_within(seen.boxes, size)
        hits.append(hit[counts])
        scores.append(seen.scores[counts])
        pictures.append(np.full(int(counts.sum()), number, np.int64))
    together = np.concatenate(scores or [np.zeros(0)])
    order = np.argsort(-together, kind="stable")
    return Curve(
        np.concatenate(pictures or [np.zeros(0, np.int64)])[order],
        np.concatenate(hits or [np.zeros(0, np.bool_)])[order],
        np.array([len(each.boxes) for each in truth], np.int64),
    )


def within(truth: TrueFaces, size: Size) -> TrueFaces:
    """Look for the faces of one size alone: the others are ignored."""
    own = _is_within(truth.boxes, size)
    ignored = np.concatenate([truth.ignored, truth.boxes[~own]])
    return TrueFaces(truth.boxes[own], ignored)


def _is_within(boxes: Boxes, size: Size) -> Flags:
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    return np.asarray((sides >= size[0]) & (sides < size[1]))


def _matched(truth: TrueFaces, found: FoundFaces) -> tuple[Flags, Flags]:
    """Which boxes are hits, and which count: not those on what is ignored."""
    overlaps = iou(found.boxes, truth.boxes)
    ignored = iou(found.boxes, truth.ignored).max(axis=1, initial=0) >= IOU
    free = np.ones(len(truth.boxes), np.bool_)
    hit = np.zeros(len(found.boxes), np.bool_)
    for number, overlap in enumerate(overlaps):
        left = np.where(free, overlap, 0)
        if left.max(initial=0) >= IOU:
            free[int(left.argmax())] = False
            hit[number] = True
    return hit, hit | ~ignored
