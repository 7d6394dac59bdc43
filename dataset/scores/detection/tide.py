"""Which errors cost how much average precision.

D. Bolya, S. Foley, J. Hays, J. Hoffman: TIDE: A General Toolbox for Identifying Object
Detection Errors, ECCV 2020. Every false detection has one cause (section 2.2), by its
greatest IoU with any true box:

=============== ===============================================================
localisation    from 0.1 to 0.5: the face is there, the box is badly placed
classification  it has 0.5 or more with a face of another kind
duplicate       0.5 or more, but a surer detection has that face already
both            from 0.1 to 0.5 with a face of another kind
background      less than 0.1: there is no face
missed          of true boxes: no detection has it, and none is badly placed on it
=============== ===============================================================

What a cause costs is how much AP rises when an oracle mends it and nothing else
(section 2.3): the surest badly placed box of each free face becomes true, and the
others vanish; duplicates and background vanish; missed faces are no longer asked for.
The AP is that of ``coco`` at IoU 0.5, with the best 100 detections of each picture.

One kind of face is scored. Where the truth has others too, such as photographed people,
boxes of those are errors of classification, or both of classification and of place, and
vanish; else there are no such errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.detection.coco import MOST, Matching
from icf.dataset.scores.detection.curves import at_recalls, curve
from icf.dataset.scores.detection.overlaps import Overlaps, find_overlaps
from icf.dataset.scores.detection.truth import (
    BoolArray,
    FloatArray,
    Found,
    IntArray,
    Truth,
)
from icf.dataset.scores.detection.voc import NOBODY, firsts

FOREGROUND, BACKGROUND = 0.5, 0.1


class Cause(IntEnum):
    """What a detection is; `NOT_COUNTED`: in a crowd, or beyond the best hundred."""

    NOT_COUNTED = 0
    TRUE = 1
    LOCALISATION = 2
    DUPLICATE = 3
    BACKGROUND = 4
    CLASSIFICATION = 5
    BOTH = 6


@dataclass(frozen=True)
class ErrorCost:
    """An error: how often, and by how much AP would rise without it.

    Attributes:
        count: Detections, or true boxes, that have it.
        ap: From 0 to 1.
    """

    count: int
    ap: float


@dataclass(frozen=True)
class ErrorCosts:
    """The breakdown.

    Attributes:
        ap: The average precision that the costs are measured from.
        classification: Boxes of faces of another kind; None: the truth has one kind.
        both: Badly placed boxes of faces of another kind; None as before.
        localisation: Badly placed boxes.
        duplicate: Second boxes on a face that has one.
        background: Boxes where there is no face.
        missed: True boxes that nothing touches well enough.
        false_positives: All false boxes together, as if they had the lowest scores.
        false_negatives: All true boxes without a detection, as if they did not exist.
    """

    ap: float
    classification: ErrorCost | None
    both: ErrorCost | None
    localisation: ErrorCost
    duplicate: ErrorCost
    background: ErrorCost
    missed: ErrorCost
    false_positives: ErrorCost
    false_negatives: ErrorCost

    @property
    def causes(self) -> dict[str, ErrorCost]:
        """Each cause by name, as far as the truth can tell it."""
        names = (
            *("classification", "both", "localisation"),
            *("duplicate", "background", "missed"),
        )
        costs = {name: getattr(self, name) for name in names}
        return {name: cost for name, cost in costs.items() if cost is not None}


@dataclass(frozen=True, eq=False)
class Errors:
    """The cause of each error.

    Attributes:
        costs: What they cost.
        cause: Shape (n,): a `Cause` for each detection.
        best: Shape (n,): the row of the true box it overlaps most; -1: none.
        iou: Shape (n,): that IoU.
        missed: Shape (m,): rows of the missed true boxes.
    """

    costs: ErrorCosts
    cause: npt.NDArray[np.int8]
    best: IntArray
    iou: FloatArray
    missed: IntArray


def find_errors(
    truth: Truth, found: Found, overlaps: Overlaps, matching: Matching
) -> Errors:
    """Give each false detection and each lost box its cause, and each cause its cost.

    Args:
        truth: The true boxes.
        found: The detections.
        overlaps: Of detections and true boxes.
        matching: Of ``coco``.
    """
    best, iou = _best(truth, overlaps, len(matching.turn))
    hits, ignored = matching.hits(), matching.ignored() | (matching.turn >= MOST)
    cause = np.full(len(best), Cause.DUPLICATE, np.int8)
    cause[iou < BACKGROUND] = Cause.BACKGROUND
    of_others = _of_others(truth, found)
    cause[(cause == Cause.BACKGROUND) & (of_others >= BACKGROUND)] = Cause.BOTH
    cause[of_others >= FOREGROUND] = Cause.CLASSIFICATION
    cause[(iou >= BACKGROUND) & (iou <= FOREGROUND)] = Cause.LOCALISATION
    cause[hits] = Cause.TRUE
    cause[ignored & ~hits] = Cause.NOT_COUNTED
    free = ~truth.crowd
    free[_used(matching)] = False
    misplaced = matching.order[cause[matching.order] == Cause.LOCALISATION]
    on_free = misplaced[free[best[misplaced]]]
    _, first = np.unique(best[on_free], return_index=True)
    mended = np.zeros(len(best), np.bool_)
    mended[on_free[first]] = True
    lost = free.copy()
    lost[best[on_free]] = False
    missed = np.flatnonzero(lost)
    costs = _costs(truth, matching, cause, mended, len(missed), int(free.sum()))
    return Errors(costs, cause, best, iou, missed)


def _best(truth: Truth, overlaps: Overlaps, count: int) -> tuple[IntArray, FloatArray]:
    """The true box that each detection overlaps most, the first of equals; its IoU."""
    some = overlaps[(overlaps.plain > 0) & ~truth.crowd[overlaps.box]]
    ranked = np.lexsort((some.box, -some.plain, some.detection))
    first = ranked[firsts(some.detection[ranked])]
    best, iou = np.full(count, NOBODY, np.int64), np.zeros(count)
    best[some.detection[first]] = some.box[first]
    iou[some.detection[first]] = some.plain[first]
    return best, iou


def _of_others(truth: Truth, found: Found) -> FloatArray:
    """Each detection's greatest IoU with a box of another kind."""
    iou = np.zeros(len(found.scores))
    if truth.others is not None:
        overlaps = find_overlaps(Truth.of(truth.others), found)
        np.maximum.at(iou, overlaps.detection, overlaps.plain)
    return iou


def _used(matching: Matching) -> IntArray:
    """Rows of the true boxes that have a detection."""
    box = matching.box[0, 0].astype(np.int64)
    return np.asarray(box[box >= 0])


def _costs(
    truth: Truth,
    matching: Matching,
    cause: npt.NDArray[np.int8],
    mended: BoolArray,
    missed: int,
    unmatched: int,
) -> ErrorCosts:
    ranked = matching.order[cause[matching.order] != Cause.NOT_COUNTED]
    causes, repaired = cause[ranked], mended[ranked]
    hits = causes == Cause.TRUE
    count = int(np.count_nonzero(~truth.crowd))
    ap = _area(hits, count)

    def cost(number: int, some: BoolArray, boxes: int) -> ErrorCost:
        return ErrorCost(number, max(_area(some, boxes) - ap, 0.0))

    def without(what: Cause) -> ErrorCost:
        return cost(int(np.sum(causes == what)), hits[causes != what], count)

    placed = causes == Cause.LOCALISATION
    return ErrorCosts(
        ap=ap,
        classification=(
            None if truth.others is None else without(Cause.CLASSIFICATION)
        ),
        both=None if truth.others is None else without(Cause.BOTH),
        localisation=cost(
            int(placed.sum()), (hits | repaired)[~placed | repaired], count
        ),
        duplicate=without(Cause.DUPLICATE),
        background=without(Cause.BACKGROUND),
        missed=cost(missed, hits, count - missed),
        false_positives=cost(int(np.sum(~hits)), np.sort(hits)[::-1], count),
        false_negatives=cost(unmatched, hits, count - unmatched),
    )


def _area(hits: BoolArray, count: int) -> float:
    """Mean precision at 101 recalls; 0 where there is no box to find."""
    return float(at_recalls(*curve(hits, count)).mean()) if count else 0.0
