"""The convention `coco`: the figures of pycocotools, bit for bit.

A detection, the surest first, takes the true box that it overlaps most and that is
still free, the last of equals (pycocotools, ``COCOeval.evaluateImg``). Boxes outside of
a range of sizes, and crowds, are ignored: what is matched to them counts neither way,
and neither does a detection outside of the range that is matched to nothing.

Overlaps are computed once. All pictures, IoU thresholds and ranges of sizes are matched
at once: first the surest detection of every picture, then the second of every picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.detection.curves import RECALLS
from icf.dataset.scores.detection.overlaps import Overlaps
from icf.dataset.scores.detection.truth import (
    BoolArray,
    FloatArray,
    Found,
    IntArray,
    Truth,
    order_of,
)
from icf.dataset.scores.detection.voc import firsts

#: IoU thresholds, and how many detections of a picture count (``Params``).
THRESHOLDS = np.linspace(0.5, 0.95, 10)
DETECTIONS = (1, 10, 100)
MOST = DETECTIONS[-1]

_FREE, _TRUE, _IGNORED = 0, 1, 2


class Range(NamedTuple):
    """Sizes, both ends included."""

    low: float
    high: float


#: Ranges of areas in square pixels (``Params.areaRng``).
AREAS: Mapping[str, Range] = {
    "all": Range(0.0, 1e5**2),
    "small": Range(0.0, 32.0**2),
    "medium": Range(32.0**2, 96.0**2),
    "large": Range(96.0**2, 1e5**2),
}


@dataclass(frozen=True)
class CocoSummary:
    """The twelve figures of ``COCOeval.summarize``; None where no box is of that size.

    Attributes:
        ap: Mean over IoU 0.50, 0.55, ..., 0.95.
        ap50: At IoU 0.5.
        ap75: At IoU 0.75.
        ap_small: As ``ap``, of boxes below 32 x 32 pixels.
        ap_medium: Of boxes up to 96 x 96.
        ap_large: Of larger ones.
        ar_1: Recall with the best detection of each picture, mean over the IoUs.
        ar_10: With the best ten.
        ar_100: With the best hundred.
        ar_small: As ``ar_100``, of small boxes.
        ar_medium: Of medium ones.
        ar_large: Of large ones.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar_1: float | None
    ar_10: float | None
    ar_100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


@dataclass(frozen=True, eq=False)
class Matching:
    """What every detection was matched to, at each threshold and range.

    Attributes:
        turn: Shape (n,): a detection's rank by score in its picture, from 0.
        order: Shape (k,): those that count, the surest first.
        some: Shape (m,): the detections that overlap any box by half, ascending.
        state: Shape (ranges, thresholds, m), int8: 0 matched to nothing, 1 true, 2
            matched to an ignored box.
        box: Shape (ranges, thresholds, m): rows of the matched boxes; -1: none.
        boxes: Shape (ranges, n of true boxes): which of them count.
        inside: Shape (ranges, n): which detections are of the range's size.
    """

    turn: IntArray
    order: IntArray
    some: IntArray
    state: npt.NDArray[np.int8]
    box: npt.NDArray[np.int32]
    boxes: BoolArray
    inside: BoolArray

    def hits(self) -> BoolArray:
        """Shape (n,): which detections are true, at the first threshold and range."""
        made = np.zeros(len(self.turn), np.bool_)
        made[self.some] = self.state[0, 0] == _TRUE
        return made

    def ignored(self) -> BoolArray:
        """Shape (n,): which detections count neither as true nor as false there."""
        made: BoolArray = ~self.inside[0]
        state = self.state[0, 0]
        made[self.some[state == _TRUE]] = False
        made[self.some[state == _IGNORED]] = True
        return made


def match(
    truth: Truth,
    found: Found,
    overlaps: Overlaps,
    ranges: Mapping[str, Range] = AREAS,
    area: tuple[FloatArray, FloatArray] | None = None,
) -> Matching:
    """Match detections with true boxes, at all thresholds and ranges.

    Args:
        truth: The true boxes.
        found: The detections.
        overlaps: Of the two.
        ranges: Ranges of sizes.
        area: The sizes of the true boxes and of the detections; None: their areas.
    """
    size, own = area or (truth.area, found.sides[:, 0] * found.sides[:, 1])
    low = np.array([each.low for each in ranges.values()])[:, None]
    high = np.array([each.high for each in ranges.values()])[:, None]
    boxes = (size >= low) & (size <= high) & ~truth.crowd
    turn, order = _ranks(truth, found)
    edges = overlaps[
        (overlaps.plain >= THRESHOLDS[0]) & (turn[overlaps.detection] < MOST)
    ]
    some, place = np.unique(edges.detection, return_inverse=True)
    state, box = _taken(truth, edges, turn, place, boxes, len(some))
    inside = (own >= low) & (own <= high)
    return Matching(turn, order, some, state, box, boxes, inside)


def _ranks(truth: Truth, found: Found) -> tuple[IntArray, IntArray]:
    """Each detection's rank in its picture, and the order of those that count."""
    by_score = found.by_score
    ranked = by_score[order_of(found.picture[by_score], len(truth.boxes.pictures))]
    starts = np.flatnonzero(firsts(found.picture[ranked]))
    sizes = np.diff(starts, append=len(ranked))
    turn = np.empty(len(ranked), np.int64)
    turn[ranked] = np.arange(len(ranked)) - np.repeat(starts, sizes)
    kept = ranked[turn[ranked] < MOST]
    return turn, kept[np.argsort(-found.scores[kept], kind="stable")]


def _taken(
    truth: Truth,
    edges: Overlaps,
    turn: IntArray,
    place: IntArray,
    boxes: BoolArray,
    count: int,
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Serve the detections of every picture by turns.

    Args:
        truth: The true boxes.
        edges: Pairs that overlap by half.
        turn: Each detection's rank in its picture.
        place: Shape (e,): which of the ``count`` detections an edge is of.
        boxes: Shape (ranges, boxes): which count.
        count: Detections that have an edge.
    """
    ranges, levels = len(boxes), len(THRESHOLDS)
    state = np.zeros((ranges, levels, count), np.int8)
    box = np.full((ranges, levels, count), -1, np.int32)
    used, target = np.unique(edges.box, return_inverse=True)
    free = np.ones((ranges, levels, len(used)), np.bool_)
    crowd = truth.crowd[used]
    counts = boxes[:, used]
    for some in _rounds(edges, turn):
        who, what = place[some], target[some]
        enough = edges.plain[some] >= THRESHOLDS[:, None]
        # First a box that counts, if one is free, and only then one to be ignored.
        for kind, wanted in ((_TRUE, counts[:, what]), (_IGNORED, ~counts[:, what])):
            for choice in _choices(edges.detection[some]):
                it, its = who[choice], what[choice]
                good = enough[:, choice] & wanted[:, None, choice]
                good &= (state[:, :, it] == _FREE) & free[:, :, its]
                if not good.any():
                    continue
                at = np.nonzero(good)
                state[at[0], at[1], it[at[2]]] = kind
                box[at[0], at[1], it[at[2]]] = used[its[at[2]]]
                # Many detections may lie in one crowd.
                alone = ~crowd[its[at[2]]]
                free[at[0][alone], at[1][alone], its[at[2]][alone]] = False
    return state, box


def _rounds(edges: Overlaps, turn: IntArray) -> list[IntArray]:
    """Rows of edges turn by turn; of one detection the best overlap first."""
    turns = turn[edges.detection]
    ranked = np.lexsort((-edges.box, -edges.plain, edges.detection, turns))
    return [
        each
        for each in np.split(ranked, np.flatnonzero(np.diff(turns[ranked])) + 1)
        if len(each)
    ]


def _choices(detections: IntArray) -> list[IntArray]:
    """Places of every detection's first edge, then of the second, and so on."""
    starts = np.flatnonzero(firsts(detections))
    sizes = np.diff(starts, append=len(detections))
    return [starts[sizes > n] + n for n in range(int(sizes.max(initial=0)))]


def precisions(matching: Matching) -> FloatArray:
    """Precision at 101 recalls (``COCOeval.accumulate``).

    Args:
        matching: Of any ranges.

    Returns:
        Shape (ranges, thresholds, 101); -1 where no box is of that size.
    """
    order = matching.order
    place = np.full(len(matching.turn), -1, np.int64)
    place[order] = np.arange(len(order))
    where = place[matching.some]
    made = np.full((*matching.state.shape[:2], len(RECALLS)), -1.0)
    for area, count in enumerate(matching.boxes.sum(axis=1).tolist()):
        if not count:
            continue
        inside = matching.inside[area][order]
        for level, state in enumerate(matching.state[area]):
            true = where[state == _TRUE]
            counted = inside.copy()
            counted[true] = True
            counted[where[state == _IGNORED]] = False
            ranks = np.cumsum(counted)[np.sort(true)]
            made[area, level] = precision_of(ranks, count)
    return made


def precision_of(ranks: IntArray, count: int) -> FloatArray:
    """Precision at each of `RECALLS`; it is highest at true detections, so only there.

    Args:
        ranks: Shape (m,): ranks of the true detections among those that count, from 1,
            ascending.
        count: True boxes that count, at least one.
    """
    true = np.arange(1.0, len(ranks) + 1)
    false = ranks - true
    precision = true / (false + true + np.spacing(1))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return np.append(best, 0.0)[np.searchsorted(true / count, RECALLS)]


def recalls(matching: Matching) -> FloatArray:
    """Highest recall with the best 1, 10 and 100 detections of each picture.

    Returns:
        Shape (3, ranges, thresholds); -1 where no box is of that size.
    """
    true = matching.state == _TRUE
    turn = matching.turn[matching.some]
    found = np.stack([np.sum(true[..., turn < most], axis=2) for most in DETECTIONS])
    counts = matching.boxes.sum(axis=1)[:, None]
    made = found / np.maximum(counts, 1)
    return np.where(counts > 0, made, -1.0)


def summarise(matching: Matching) -> CocoSummary:
    """Compute the twelve figures.

    Args:
        matching: Of `AREAS`.
    """
    precision, recall = precisions(matching), recalls(matching)
    names = list(AREAS)
    small, medium, large = (names.index(name) for name in ("small", "medium", "large"))
    return CocoSummary(
        ap=mean(precision[0]),
        ap50=mean(precision[0, 0]),
        ap75=mean(precision[0, 5]),
        ap_small=mean(precision[small]),
        ap_medium=mean(precision[medium]),
        ap_large=mean(precision[large]),
        ar_1=mean(recall[0, 0]),
        ar_10=mean(recall[1, 0]),
        ar_100=mean(recall[2, 0]),
        ar_small=mean(recall[2, small]),
        ar_medium=mean(recall[2, medium]),
        ar_large=mean(recall[2, large]),
    )


def mean(values: FloatArray) -> float | None:
    """Mean of what is defined; None where nothing is."""
    some = values[values > -1]
    return float(np.mean(some)) if len(some) else None
