"""Average precision of a face detector, in three named conventions at IoU 0.5.

The three differ in the third digit, so none of them is called just "AP":

=============== ============================ ============== ==================
name            matched in a picture by      IoU of corners averaged over
=============== ============================ ============== ==================
official        file order                   +1, inclusive  all points
coco            score; the best 100          plain          101 recalls
voc_all_point   score                        +1, inclusive  all points
=============== ============================ ============== ==================

``official`` sees only pictures that have a box, as the published script does
(see the module ``voc``); for ``coco`` see the module of that name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.detection.coco import CocoSummary, Matching, match, summarise
from icf.dataset.scores.detection.curves import all_point
from icf.dataset.scores.detection.overlaps import Overlaps, find_overlaps
from icf.dataset.scores.detection.truth import Found, IntArray, Truth
from icf.dataset.scores.detection.voc import (
    NOBODY,
    official_order,
    script_sorted,
    tie_bounds,
    voc_matches,
    without_crowds,
)
from icf.icartoonface.detection import DetectionBoxes, Detections


@dataclass(frozen=True)
class DetectionScore:
    """Average precision at IoU 0.5 by convention, each from 0 to 1.

    Attributes:
        pictures: Pictures in the set.
        boxes: True boxes, degenerate ones included, crowds not.
        detections: Detections scored.
        official: As the published scorer: matched in file order.
        coco: As pycocotools' AP50.
        voc_all_point: Matched by score, area under the whole curve.
        official_low: The least that any order of equal scores gives.
        official_high: The most.
        official_unseen: Detections in pictures without a box, which that script does
            not see; they count as false in the other conventions.
        coco_summary: All twelve figures of pycocotools.
    """

    pictures: int
    boxes: int
    detections: int
    official: float
    coco: float
    voc_all_point: float
    official_low: float
    official_high: float
    official_unseen: int
    coco_summary: CocoSummary


@dataclass(frozen=True, eq=False)
class Scored:
    """The figures, and the matches that they come from.

    Attributes:
        score: The figures.
        overlaps: Of detections and true boxes.
        coco: The matches of ``coco``.
        official: Shape (n,): for each detection the row of its box, -1 for none.
        official_order: Rows of the detections that ``official`` sees, the surest first.
        voc: As ``official``, of ``voc_all_point``.
        by_score: Rows of all detections, the surest first.
    """

    score: DetectionScore
    overlaps: Overlaps
    coco: Matching
    official: IntArray
    official_order: IntArray
    voc: IntArray
    by_score: IntArray


def score_detection(truth: DetectionBoxes, detections: Detections) -> DetectionScore:
    """Score detections against the true boxes of a set.

    Equal scores keep the order of the file, for ``coco`` first that of
    ``truth.pictures``; for ``official`` they come as in the published script's own
    sort. A degenerate true box can hardly be found and counts as missed.

    Args:
        truth: The true boxes; ``truth.pictures`` is the whole set.
        detections: What a detector found, in the submission's order; may be empty.

    Raises:
        BadInput: There is no true box, a detection is in a picture outside the set, or
            a corner or a score is not finite.

    Example:
        >>> box = np.array([[0.0, 0.0, 9.0, 9.0]])
        >>> truth = DetectionBoxes(("a.jpg",), np.array([0]), box)
        >>> found = Detections(("a.jpg",), np.array([0]), box, scores=np.array([0.9]))
        >>> score_detection(truth, found).official
        1.0
    """
    known = Truth.of(truth)
    return score_found(known, Found.of(known, detections)).score


def score_found(truth: Truth, found: Found) -> Scored:
    """Score detections, and keep what was matched to what."""
    overlaps = find_overlaps(truth, found)
    real = without_crowds(truth, overlaps)
    scores = found.scores
    by_score = found.by_score
    seen = official_order(truth, found)
    ranked = seen[script_sorted(scores[seen])]
    official = voc_matches(real, np.arange(len(scores)))
    voc = voc_matches(real, by_score)
    coco = match(truth, found, overlaps)
    summary = summarise(coco)
    count = int(np.count_nonzero(~truth.crowd))
    hits = official != NOBODY
    low, high = tie_bounds(hits[seen], scores[seen], count)
    score = DetectionScore(
        pictures=len(truth.boxes.pictures),
        boxes=count,
        detections=len(scores),
        official=all_point(hits[ranked], count),
        coco=summary.ap50 or 0.0,
        voc_all_point=all_point((voc != NOBODY)[by_score], count),
        official_low=low,
        official_high=high,
        official_unseen=len(scores) - len(seen),
        coco_summary=summary,
    )
    return Scored(score, overlaps, coco, official, ranked, voc, by_score)
