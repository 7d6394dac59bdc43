"""What a detector does at a threshold: what it finds, what it invents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.detection.coco import Matching
from icf.dataset.scores.detection.truth import BoolArray, FloatArray, Found, Truth


@dataclass(frozen=True)
class OperatingPoint:
    """Counts at IoU 0.5 of the detections with at least a score.

    Attributes:
        threshold: The score.
        detections: How many have it.
        precision: Share of them that are true; None without any.
        recall: Share of the true boxes that are found.
        f1: Harmonic mean of the two, 0 where nothing is found.
        false_per_picture: False boxes, divided by all pictures of the set.
        false_per_empty_picture: False boxes in pictures without a face, divided by
            these; None where the set has no such picture.
    """

    threshold: float
    detections: int
    precision: float | None
    recall: float
    f1: float
    false_per_picture: float
    false_per_empty_picture: float | None


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The detections that count, the surest first, and what they are.

    Attributes:
        scores: Shape (k,).
        hits: Shape (k,): which are true.
        empty: Shape (k,): which are in a picture without a face.
        boxes: True boxes.
        pictures: Pictures of the set.
        empty_pictures: Those of them without a face.
    """

    scores: FloatArray
    hits: BoolArray
    empty: BoolArray
    boxes: int
    pictures: int
    empty_pictures: int


def outcomes(truth: Truth, found: Found, matching: Matching) -> Outcomes:
    """Take the detections that ``coco`` counts, of all sizes, at IoU 0.5."""
    order = matching.order[~matching.ignored()[matching.order]]
    empty = np.ones(len(truth.boxes.pictures), np.bool_)
    empty[truth.boxes.picture] = False
    return Outcomes(
        found.scores[order],
        matching.hits()[order],
        empty[found.picture[order]],
        int(np.count_nonzero(~truth.crowd)),
        len(empty),
        int(np.count_nonzero(empty)),
    )


def at_threshold(made: Outcomes, threshold: float) -> OperatingPoint:
    """Count what has at least a score."""
    number = int(np.searchsorted(-made.scores, -threshold, side="right"))
    true = int(np.count_nonzero(made.hits[:number]))
    in_empty = int(np.count_nonzero(made.empty[:number]))
    return OperatingPoint(
        threshold=threshold,
        detections=number,
        precision=true / number if number else None,
        recall=true / made.boxes,
        f1=2 * true / (number + made.boxes),
        false_per_picture=(number - true) / made.pictures,
        false_per_empty_picture=(
            in_empty / made.empty_pictures if made.empty_pictures else None
        ),
    )


def best_threshold(made: Outcomes) -> float | None:
    """The score with the greatest F1, the highest of equals; None without detections.

    >>> hits = np.array([True, False, True, False])
    >>> scores = np.array([0.9, 0.8, 0.7, 0.6])
    >>> best_threshold(Outcomes(scores, hits, np.zeros(4, bool), 2, 1, 0))
    0.7
    """
    if not len(made.scores):
        return None
    f1 = 2 * np.cumsum(made.hits) / (np.arange(1, len(made.hits) + 1) + made.boxes)
    # Equal scores come and go together.
    last = np.append(made.scores[1:] != made.scores[:-1], True)
    return float(made.scores[np.argmax(np.where(last, f1, -1.0))])
