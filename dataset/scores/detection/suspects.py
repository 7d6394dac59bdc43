"""True boxes that may be wrong, as far as detections can tell.

A detector that is sure of a face where nobody drew one is sometimes right. These are
questions for a person, not corrections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from icf.codes import SuspectedBox
from icf.dataset.scores.detection.overlaps import Overlaps, find_overlaps
from icf.dataset.scores.detection.tide import BACKGROUND, Cause, Errors
from icf.dataset.scores.detection.truth import Found, Truth
from icf.icartoonface.detection import Detections

#: IoU from which two true boxes of a picture are thought to be of one face.
SAME = 0.8

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Suspect:
    """Something that a person should look at.

    Attributes:
        reason: What is suspected.
        score: How strongly, from 0 to 1; of a missed face the detector's score.
        picture: Name of the picture.
        corners: x1, y1, x2, y2 of the box that is suspected.
        other: The box of the same face, of duplicates; else None.
    """

    reason: SuspectedBox
    score: float
    picture: str
    corners: Corners
    other: Corners | None = None


def find_suspects(
    truth: Truth,
    found: Found,
    overlaps: Overlaps,
    errors: Errors,
    threshold: float,
) -> list[Suspect]:
    """List what may be wrong with the true boxes: by reason, the strongest first.

    Args:
        truth: The true boxes.
        found: The detections.
        overlaps: Of the two.
        errors: What each detection is.
        threshold: The score from which a false box may be a face that truth lacks.
    """
    rows = [
        *_missed(found, errors, threshold),
        *_untouched(truth, overlaps),
        *_duplicates(truth),
    ]
    order = list(SuspectedBox)
    return sorted(
        rows, key=lambda each: (order.index(each.reason), -each.score, each.picture)
    )


def _missed(found: Found, errors: Errors, threshold: float) -> Iterator[Suspect]:
    """Confident boxes where there is no true one."""
    sure = (errors.cause == Cause.BACKGROUND) & (found.scores >= threshold)
    boxes = found.detections
    for row in found.by_score[sure[found.by_score]].tolist():
        yield Suspect(
            SuspectedBox.NO_BOX,
            float(found.scores[row]),
            boxes.pictures[int(boxes.picture[row])],
            _corners(boxes.corners[row].tolist()),
        )


def _untouched(truth: Truth, overlaps: Overlaps) -> Iterator[Suspect]:
    """True boxes that not even an unsure detection touches."""
    most = np.zeros(len(truth.crowd))
    np.maximum.at(most, overlaps.box, overlaps.plain)
    for row in np.flatnonzero((most < BACKGROUND) & ~truth.crowd).tolist():
        yield Suspect(
            SuspectedBox.UNTOUCHED, 1.0 - float(most[row]), *_placed(truth, row)
        )


def _duplicates(truth: Truth) -> Iterator[Suspect]:
    """True boxes of which an earlier one of the picture is nearly the same."""
    boxes = truth.boxes
    again = Detections(
        boxes.pictures, boxes.picture, boxes.corners, scores=np.ones(len(truth.crowd))
    )
    pairs = find_overlaps(truth, Found(again, truth.sides, boxes.picture))
    pairs = pairs[(pairs.detection > pairs.box) & (pairs.inclusive >= SAME)]
    for row, other, iou in zip(
        pairs.detection.tolist(), pairs.box.tolist(), pairs.inclusive, strict=True
    ):
        if not truth.crowd[row] and not truth.crowd[other]:
            yield Suspect(
                SuspectedBox.TWICE,
                float(iou),
                *_placed(truth, row),
                other=_corners(boxes.corners[other].tolist()),
            )


def _placed(truth: Truth, row: int) -> tuple[str, Corners]:
    name = truth.boxes.pictures[int(truth.boxes.picture[row])]
    return name, _corners(truth.boxes.corners[row].tolist())


def _corners(values: list[float]) -> Corners:
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2
