"""Average precision of a face detector, in three named conventions at IoU 0.5.

The three differ in the third digit, so none of them is called just "AP":

=============== ============================ ============== ==================
name            matched in a picture by      IoU of corners averaged over
=============== ============================ ============== ==================
official        file order                   +1, inclusive  all points
coco            score; the best 100          plain          101 recalls
voc_all_point   score                        +1, inclusive  all points
=============== ============================ ============== ==================

``official`` and ``voc_all_point`` match a detection to the true box it overlaps most,
and count it as false if that box is taken (PASCAL VOC development kit, ``VOCevaldet``).
``coco`` matches it to the best box that is still free (pycocotools, ``COCOeval``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.icartoonface.detection import DetectionBoxes, Detections
from icf.names import normal_name

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

IOU = 0.5
COCO_DETECTIONS_A_PICTURE = 100
COCO_RECALLS = np.linspace(0.0, 1.0, 101)

_NAMED = 5
_EDGES_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class DetectionScore:
    """Average precision at IoU 0.5 by convention, each from 0 to 1.

    Attributes:
        pictures: Pictures in the set.
        boxes: True boxes, degenerate ones included.
        detections: Detections scored.
        official: As the published scorer: matched in file order.
        coco: As pycocotools' AP50.
        voc_all_point: Matched by score, area under the whole curve.
    """

    pictures: int
    boxes: int
    detections: int
    official: float
    coco: float
    voc_all_point: float


def score_detection(truth: DetectionBoxes, detections: Detections) -> DetectionScore:
    """Score detections against the true boxes of a set.

    Equal scores keep the file's order (for ``coco`` between pictures the order of
    ``truth.pictures``). A degenerate true box can hardly be found and counts as missed.

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
    _check(truth, detections)
    picture = _picture_in_truth(truth, detections)
    scores = np.asarray(detections.scores, np.float64)
    by_score = np.argsort(-scores, kind="stable")
    by_file = np.arange(len(scores))
    inclusive = _find_overlaps(truth, detections, picture, pixel=1.0)
    plain = _find_overlaps(truth, detections, picture, pixel=0.0)
    count = len(truth.picture)
    return DetectionScore(
        pictures=len(truth.pictures),
        boxes=count,
        detections=len(scores),
        official=_all_point(_voc_hits(inclusive, by_file)[by_score], count),
        coco=_coco(plain, picture, scores, count),
        voc_all_point=_all_point(_voc_hits(inclusive, by_score)[by_score], count),
    )


def _check(truth: DetectionBoxes, detections: Detections) -> None:
    if not len(truth.picture):
        raise BadInput("no true box: average precision is not defined without one")
    for what, values in (
        ("true box", truth.corners),
        ("detection", detections.corners),
        ("score of detection", detections.scores[:, None]),
    ):
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            row = int(bad.argmax())
            raise BadInput(
                f"{what} {row + 1}: expected finite numbers, "
                f"found {values[row].tolist()}"
            )


def _picture_in_truth(truth: DetectionBoxes, detections: Detections) -> IntArray:
    """Return each detection's index of its picture in the set."""
    index = {normal_name(name): i for i, name in enumerate(truth.pictures)}
    index |= {name: i for i, name in enumerate(truth.pictures)}
    places = np.array(
        [
            index.get(name, index.get(normal_name(name), -1))
            for name in detections.pictures
        ],
        np.int64,
    )
    used = np.unique(detections.picture)
    unknown = [detections.pictures[i] for i in used[places[used] < 0].tolist()]
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise BadInput(
            f"detections in {len(unknown)} pictures outside the set of "
            f"{len(truth.pictures)}: {', '.join(unknown[:_NAMED])}{more}; score them "
            "against the set they were made on"
        )
    return places[detections.picture]


@dataclass(frozen=True, eq=False)
class _Overlaps:
    """Pairs of a detection and a true box of one picture that overlap enough.

    Attributes:
        detection: Shape (e,): rows of detections.
        box: Shape (e,): rows of true boxes.
        iou: Shape (e,): intersection over union.
    """

    detection: IntArray
    box: IntArray
    iou: FloatArray


def _find_overlaps(
    truth: DetectionBoxes,
    found: DetectionBoxes,
    picture: IntArray,
    pixel: float,
) -> _Overlaps:
    """Find all pairs in one picture with an IoU of 0.5 or more.

    Args:
        truth: True boxes.
        found: Detections.
        picture: For each detection its picture's index in ``truth.pictures``.
        pixel: 1 where corners are the first and the last pixel (a side is
            x2 - x1 + 1), 0 where they are edges.
    """
    by_picture = np.argsort(truth.picture, kind="stable")
    sizes = np.bincount(truth.picture, minlength=len(truth.pictures))
    starts = np.cumsum(sizes) - sizes
    parts = []
    for rows in _chunks(sizes[picture]):
        repeats = sizes[picture[rows]]
        detection = np.repeat(rows, repeats)
        within = np.arange(len(detection)) - np.repeat(
            np.cumsum(repeats) - repeats, repeats
        )
        box = by_picture[np.repeat(starts[picture[rows]], repeats) + within]
        iou = _iou(found.corners[detection], truth.corners[box], pixel)
        keep = iou >= IOU
        parts.append((detection[keep], box[keep], iou[keep]))
    if not parts:
        none = np.empty(0, np.int64)
        return _Overlaps(none, none, np.empty(0))
    detections, boxes, ious = zip(*parts, strict=True)
    return _Overlaps(
        np.concatenate(detections), np.concatenate(boxes), np.concatenate(ious)
    )


def _chunks(sizes: IntArray) -> Iterator[IntArray]:
    """Rows of detections, split so that a part makes about a million pairs."""
    part = np.cumsum(sizes) // _EDGES_AT_ONCE
    yield from np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(part)) + 1)


def _iou(a: FloatArray, b: FloatArray, pixel: float) -> FloatArray:
    """Compute IoU row by row; a box with x2 < x1 or y2 < y1 has no area."""
    low = np.maximum(a[:, :2], b[:, :2])
    sides = np.minimum(a[:, 2:], b[:, 2:]) - low + pixel
    shared = np.prod(np.maximum(sides, 0.0), axis=1)
    union = _area(a, pixel) + _area(b, pixel) - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.asarray(iou, np.float64)


def _area(boxes: FloatArray, pixel: float) -> FloatArray:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2] + pixel, 0.0)
    return np.asarray(np.prod(sides, axis=1), np.float64)


def _voc_hits(overlaps: _Overlaps, order: IntArray) -> BoolArray:
    """Mark true detections: the first, in the order, whose best true box is free."""
    turn = np.empty(len(order), np.int64)
    turn[order] = np.arange(len(order))
    # One edge per detection: the most overlapping true box, the first among equals.
    ranked = np.lexsort((overlaps.box, -overlaps.iou, overlaps.detection))
    best = ranked[_firsts(overlaps.detection[ranked])]
    ranked = best[np.lexsort((turn[overlaps.detection[best]], overlaps.box[best]))]
    winners = ranked[_firsts(overlaps.box[ranked])]
    hits = np.zeros(len(order), np.bool_)
    hits[overlaps.detection[winners]] = True
    return hits


def _firsts(values: IntArray) -> BoolArray:
    """Mark the first of each run of equal values."""
    return np.asarray(np.diff(values, prepend=-1) != 0, np.bool_)


def _coco(
    overlaps: _Overlaps, picture: IntArray, scores: FloatArray, count: int
) -> float:
    """AP50 of pycocotools, over the best 100 detections of each picture."""
    ranked = np.lexsort((-scores, picture))
    starts = np.flatnonzero(_firsts(picture[ranked]))
    sizes = np.diff(starts, append=len(ranked))
    turn = np.empty(len(ranked), np.int64)
    turn[ranked] = np.arange(len(ranked)) - np.repeat(starts, sizes)
    hits = _coco_hits(overlaps, turn)
    kept = ranked[turn[ranked] < COCO_DETECTIONS_A_PICTURE]
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return _at_recalls(hits[kept], count)


def _coco_hits(overlaps: _Overlaps, turn: IntArray) -> BoolArray:
    """Mark detections that find a free box; the k-th of all pictures at once."""
    hits = np.zeros(len(turn), np.bool_)
    taken = np.zeros(int(overlaps.box.max(initial=-1)) + 1, np.bool_)
    edge_turn = turn[overlaps.detection]
    # Among equal overlaps pycocotools takes the last true box.
    ranked = np.lexsort((-overlaps.box, -overlaps.iou, overlaps.detection, edge_turn))
    bounds = np.searchsorted(
        edge_turn[ranked], np.arange(COCO_DETECTIONS_A_PICTURE + 1)
    )
    for begin, end in pairwise(bounds.tolist()):
        edges = ranked[begin:end]
        edges = edges[~taken[overlaps.box[edges]]]
        edges = edges[_firsts(overlaps.detection[edges])]
        taken[overlaps.box[edges]] = True
        hits[overlaps.detection[edges]] = True
    return hits


def _curve(hits: BoolArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Compute recall, and the best precision at that recall or higher."""
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    return true / count, np.maximum.accumulate(precision[::-1])[::-1]


def _all_point(hits: BoolArray, count: int) -> float:
    """Compute the area under the whole curve."""
    recall, precision = _curve(hits, count)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _at_recalls(hits: BoolArray, count: int) -> float:
    """Compute the mean precision at 101 recalls, 0 beyond the highest reached."""
    recall, precision = _curve(hits, count)
    places = np.searchsorted(recall, COCO_RECALLS)
    return float(np.append(precision, 0.0)[places].mean())
