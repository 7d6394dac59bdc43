"""AP50 by COCO's rule, with the two things that the scorer does not know.

Boxes that are mostly on an ignored face are not counted, and each hit tells whether the
kind of the face is right too. Without ignored faces the figure is that of
`icf.dataset.scores.detection` (``coco``), which tests check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.models.detection import KINDS, Detection
from icf.models.overlap import iou

#: Lowest IoU of a box and its face.
MIN_IOU = 0.5
#: Best boxes of a picture that count.
MOST = 100
#: Recalls at which precision is read.
RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class Truth:
    """The faces of a picture.

    Attributes:
        boxes: shape (m, 4), in pixels.
        kinds: shape (m,), indices into `KINDS`.
        ignored: shape (k, 4), boxes that may be found or not.
    """

    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]
    ignored: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Matches:
    """The boxes of many pictures, matched to the true faces; the best box first.

    Attributes:
        scores: shape (n,).
        hits: shape (n,): whether each is the first on its face.
        right_kind: shape (n,): whether each is a hit of the right kind.
        picture: shape (n,): the picture of each.
        faces: shape (pictures,): the number of true faces of each picture.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    right_kind: NDArray[np.bool_]
    picture: NDArray[np.intp]
    faces: NDArray[np.int64]

    def of(self, pictures: NDArray[np.bool_]) -> Matches:
        """Return those of some pictures, which keep their numbers."""
        some = pictures[self.picture]
        return Matches(
            self.scores[some],
            self.hits[some],
            self.right_kind[some],
            self.picture[some],
            np.where(pictures, self.faces, 0),
        )


def matched(truths: Sequence[Truth], found: Sequence[Sequence[Detection]]) -> Matches:
    """Match the boxes of each picture to its faces.

    Args:
        truths: of each picture.
        found: of each picture, the best first.
    """
    parts = [match(*both) for both in zip(truths, found, strict=True)]
    counts = [len(part[0]) for part in parts]
    scores, hits, right = (
        np.concatenate([part[i] for part in parts] or [np.empty(0)]) for i in range(3)
    )
    order = np.argsort(-scores, kind="stable")
    return Matches(
        scores[order],
        hits[order].astype(np.bool_),
        right[order].astype(np.bool_),
        np.repeat(np.arange(len(parts)), counts)[order],
        np.array([len(truth.boxes) for truth in truths], np.int64),
    )


def match(
    truth: Truth, found: Sequence[Detection]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Match the boxes of one picture, the best first: each to the best free face.

    Returns:
        Of each box that counts: its score, whether it is a hit, and of the right kind.
    """
    boxes = np.array([face.box for face in found[:MOST]], np.float32).reshape(-1, 4)
    free = np.ones(len(truth.boxes), np.bool_)
    overlaps = iou(boxes, truth.boxes)
    ignored = iou(boxes, truth.ignored).max(1, initial=0) >= MIN_IOU
    scores, hits, right = [], [], []
    for face, overlap, dismissed in zip(found, overlaps, ignored, strict=False):
        overlap = np.where(free, overlap, 0)
        hit = bool(overlap.max(initial=0) >= MIN_IOU)
        if dismissed and not hit:
            continue
        kind = False
        if hit:
            # Among equal overlaps the last face, as pycocotools.
            best = len(overlap) - 1 - int(overlap[::-1].argmax())
            free[best] = False
            kind = KINDS[truth.kinds[best]] == face.kind
        scores.append(face.score)
        hits.append(hit)
        right.append(kind)
    return (
        np.array(scores, np.float64),
        np.array(hits, np.bool_),
        np.array(right, np.bool_),
    )


def ap50(found: Matches, weights: NDArray[np.float64] | None = None) -> float:
    """Return the mean precision at 101 recalls; 0 beyond the highest recall.

    Args:
        found: the matches.
        weights: shape (pictures,): how often each picture counts; None: once.
    """
    weight = np.ones(len(found.faces)) if weights is None else weights
    faces = float((found.faces * weight).sum())
    if not faces:
        return 0.0
    each = weight[found.picture]
    hits = np.cumsum(found.hits * each)
    precision = hits / np.maximum(np.cumsum(each), 1e-12)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / faces, RECALLS)
    return float(np.append(falling, 0.0)[places].mean())


def area(found: Matches) -> float:
    """Return the area under the whole curve of precision and recall.

    The bundled detector's figures are this: it differs from `ap50` in the third digit.
    """
    hits = np.cumsum(found.hits)
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(falling[found.hits].sum() / max(1, found.faces.sum()))


def interval(
    found: Matches, group: NDArray[np.integer[Any]], resamples: int
) -> tuple[float, float]:
    """Return the 95% interval of `ap50` by a bootstrap over groups of pictures.

    Args:
        found: the matches.
        group: shape (pictures,): pictures of one number are drawn together.
        resamples: how often.
    """
    random = np.random.default_rng(0)
    there, number = np.unique(group, return_inverse=True)
    values = [
        ap50(found, draws[number].astype(np.float64))
        for draws in random.multinomial(
            len(there), np.full(len(there), 1 / len(there)), size=resamples
        )
    ]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def best_threshold(found: Matches) -> float:
    """Return the score at which the F1 of precision and recall is best."""
    hits = np.cumsum(found.hits)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + found.faces.sum())
    return float(found.scores[int(f1.argmax())]) if len(hits) else 0.5
