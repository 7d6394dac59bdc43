"""Average precision by size of the face, and by what is known of the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.detection.coco import (
    AREAS,
    Matching,
    Range,
    match,
    mean,
    precision_of,
    precisions,
    recalls,
)
from icf.dataset.scores.detection.curves import all_point
from icf.dataset.scores.detection.score import Scored
from icf.dataset.scores.detection.truth import (
    Found,
    IntArray,
    Truth,
    order_of,
)
from icf.dataset.scores.detection.voc import NOBODY, official_order, script_sorted

#: Shares of its picture's area that a face has.
SHARES: Mapping[str, Range] = {
    "below 1%": Range(0.0, float(np.nextafter(0.01, 0))),
    "1% to 10%": Range(0.01, float(np.nextafter(0.1, 0))),
    "10% or more": Range(0.1, np.inf),
}


#: Longer sides of pictures in pixels, the ends included.
PICTURE_SIZES = (
    (500, "up to 500"),
    (1000, "501 to 1000"),
    (2000, "1001 to 2000"),
    (np.inf, "above 2000"),
)


@dataclass(frozen=True)
class SizeScore:
    """Scores of the faces of a size, by ``coco``; None where there is none.

    Attributes:
        boxes: True boxes of that size.
        ap: Mean over IoU 0.50, 0.55, ..., 0.95.
        ap50: At IoU 0.5.
        ar: Recall with the best 100 detections of each picture, mean over the IoUs.
    """

    boxes: int
    ap: float | None
    ap50: float | None
    ar: float | None


@dataclass(frozen=True)
class GroupScore:
    """Scores of some pictures, at IoU 0.5.

    Attributes:
        pictures: How many.
        boxes: Their true boxes.
        official: As of the whole set.
        coco: As of the whole set.
    """

    pictures: int
    boxes: int
    official: float
    coco: float


def by_size(scored: Scored) -> dict[str, SizeScore]:
    """Score small, medium and large faces, as COCO has them."""
    return {name: score for name, score in _sizes(scored.coco, AREAS) if name != "all"}


def by_share(truth: Truth, found: Found, scored: Scored) -> dict[str, SizeScore] | None:
    """Score faces by their share of the picture; None if a picture's size is not known.

    A drawing of 500 pixels and a scan of 5,000 have large faces alike.
    """
    area = np.prod(truth.size, axis=1, dtype=np.float64)
    if not area.all():
        return None
    own = np.prod(found.sides, axis=1) / area[found.picture]
    sizes = np.prod(truth.sides, axis=1) / area[truth.boxes.picture]
    matching = match(truth, found, scored.overlaps, SHARES, (sizes, own))
    return dict(_sizes(matching, SHARES))


def _sizes(
    matching: Matching, ranges: Mapping[str, Range]
) -> Iterator[tuple[str, SizeScore]]:
    precision, recall = precisions(matching), recalls(matching)
    for place, name in enumerate(ranges):
        yield (
            name,
            SizeScore(
                int(matching.boxes[place].sum()),
                mean(precision[place]),
                mean(precision[place, 0]),
                mean(recall[-1, place]),
            ),
        )


def by_kind(
    truth: Truth, found: Found, scored: Scored
) -> dict[str, dict[str, GroupScore]]:
    """Score the pictures of each kind, as each album, as far as they are known.

    Where the sizes of all pictures are known, these are a kind too. Values without a
    true box are left out.
    """
    kinds = {**truth.kinds, **_picture_sizes(truth)}
    return {
        name: dict(_groups(truth, found, scored, values))
        for name, values in kinds.items()
    }


def _picture_sizes(truth: Truth) -> dict[str, tuple[str, ...]]:
    longer = truth.size.max(axis=1, initial=0)
    if not longer.all():
        return {}
    place = np.searchsorted([end for end, _ in PICTURE_SIZES], longer)
    return {"longer_side": tuple(PICTURE_SIZES[each][1] for each in place.tolist())}


def _groups(
    truth: Truth, found: Found, scored: Scored, values: Sequence[str]
) -> Iterator[tuple[str, GroupScore]]:
    """Score the pictures of each value; one pass over the detections for all."""
    known, place = np.unique(np.array(values, np.str_), return_inverse=True)
    total, boxes = len(known), truth.boxes.picture
    pictures = np.bincount(place, minlength=total)
    counts = np.bincount(place[boxes[~truth.crowd]], minlength=total)
    coco_counts = np.bincount(place[boxes[scored.coco.boxes[0]]], minlength=total)
    coco, ignored = scored.coco, scored.coco.ignored()
    of = place[found.picture]
    seen = _apart(of, official_order(truth, found), total)
    official, hits = scored.official != NOBODY, coco.hits()
    counted = _apart(of, coco.order[~ignored[coco.order]], total)
    for number, value in enumerate(known.tolist()):
        if value and counts[number]:
            count = int(coco_counts[number])
            ranks = np.flatnonzero(hits[counted[number]]) + 1
            # As of a set of its own: equal scores are in another order there.
            rows = seen[number]
            ranked = rows[script_sorted(found.scores[rows])]
            yield (
                value,
                GroupScore(
                    int(pictures[number]),
                    int(counts[number]),
                    all_point(official[ranked], int(counts[number])),
                    float(precision_of(ranks, count).mean()) if count else 0.0,
                ),
            )


def _apart(group: IntArray, rows: IntArray, count: int) -> list[IntArray]:
    """Split rows of detections by their group; they stay in their order.

    Args:
        group: Shape (n,): the group of each detection.
        rows: Shape (k,): some of the detections.
        count: Groups.
    """
    order = rows[order_of(group[rows], count)]
    ends = np.cumsum(np.bincount(group[rows], minlength=count))
    return np.split(order, ends[:-1])
