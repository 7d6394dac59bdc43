"""Measure a detector on held-out styles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.detection import KINDS, Detection, Detector
from icf.models.overlap import iou
from icf.tools.training_art import paint, place
from icf.tools.training_art.compose import Scene, compose
from icf.tools.training_art.heads import Art

#: Scenes of each style, scenes without a face, and their side in pixels.
SCENES, EMPTY, SIDE = 80, 160, 384
#: Lowest IoU of a box and its face.
MIN_IOU = 0.5
#: Lowest score of boxes that count for the average precision.
MIN_SCORE = 0.02
_SEED = 1


@dataclass(frozen=True)
class Matches:
    """The boxes of many pictures, matched to the true faces.

    Attributes:
        scores: of all boxes, the best first.
        hits: whether each is the first on its face.
        right_kind: whether each is a hit of the right kind.
        faces: number of true faces.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    right_kind: NDArray[np.bool_]
    faces: int


def measure(detector: Detector, art: Art) -> dict[str, dict[str, float]]:
    """Measure a detector on scenes composed of each held-out style.

    Args:
        detector: its card's ``min_score`` is the operating point.
        art: the held-out art.

    Returns:
        By style: ``faces``, ``ap50`` (area under precision and recall, either kind),
        and at the operating point ``recall``, ``precision``, and the share of hits with
        the right ``kind``. Under ``"no faces"``: ``pictures`` and
        ``false_boxes``, a picture.
    """
    least = detector.card.parameters["min_score"]
    figures: dict[str, dict[str, float]] = {}
    for style, heads in sorted(art.heads.items()):
        own = dataclasses.replace(art, heads={style: heads})
        shown = scenes(own)
        found = detector.detect([scene.pixels for scene in shown], MIN_SCORE)
        parts = [match(*both) for both in zip(shown, found, strict=True)]
        figures[style] = _figures(merged(parts), least)
    random = np.random.default_rng((_SEED, 1))
    pictures = [_without_faces(art, random) for _ in range(EMPTY)]
    false = sum(len(faces) for faces in detector.detect(pictures))
    figures["no faces"] = {
        "pictures": len(pictures),
        "false_boxes": round(false / len(pictures), 4),
    }
    return figures


def scenes(art: Art) -> list[Scene]:
    """Compose the scenes that a style is measured on; always the same ones."""
    random = np.random.default_rng((_SEED, 0))
    return [compose(art, SIDE, random) for _ in range(SCENES)]


def _without_faces(art: Art, random: np.random.Generator) -> NDArray[np.uint8]:
    canvas = place.background(art, SIDE, random)
    place.clutter(canvas, art, random, int(random.integers(1, 7)))
    return paint.redrawn(canvas, random)


def match(scene: Scene, found: Sequence[Detection]) -> Matches:
    """Match the boxes of one picture to its faces, the best box first.

    A box that is mostly on an ignored face is not counted.
    """
    boxes = np.array([face.box for face in found], np.float32).reshape(-1, 4)
    free = np.ones(len(scene.boxes), np.bool_)
    overlaps = iou(boxes, scene.boxes)
    ignored = iou(boxes, scene.ignored).max(1, initial=0) >= MIN_IOU
    scores, hits, right = [], [], []
    for face, overlap, dismissed in zip(found, overlaps, ignored, strict=True):
        overlap = np.where(free, overlap, 0)
        hit = bool(overlap.max(initial=0) >= MIN_IOU)
        if dismissed and not hit:
            continue
        kind = False
        if hit:
            best = int(overlap.argmax())
            free[best] = False
            kind = KINDS[scene.kinds[best]] == face.kind
        scores.append(face.score)
        hits.append(hit)
        right.append(kind)
    return Matches(
        np.array(scores, np.float64),
        np.array(hits, np.bool_),
        np.array(right, np.bool_),
        len(scene.boxes),
    )


def merged(parts: Sequence[Matches]) -> Matches:
    """Join the boxes of many pictures, the best first."""
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    return Matches(
        scores[order],
        np.concatenate([part.hits for part in parts])[order],
        np.concatenate([part.right_kind for part in parts])[order],
        sum(part.faces for part in parts),
    )


def average_precision(found: Matches) -> float:
    """Area under the interpolated precision-recall curve (VOC 2010 and later).

    >>> scores = np.array([0.9, 0.8, 0.7])
    >>> hits = np.array([True, False, True])
    >>> round(average_precision(Matches(scores, hits, hits, 2)), 4)
    0.8333
    """
    hits = np.cumsum(found.hits)
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(falling[found.hits].sum() / found.faces)


def _figures(found: Matches, least: float) -> dict[str, float]:
    taken = found.scores >= least
    hits = int(found.hits[taken].sum())
    figures = {
        "ap50": average_precision(found),
        "recall": hits / found.faces,
        "precision": hits / max(1, int(taken.sum())),
        "kind": int(found.right_kind[taken].sum()) / max(1, hits),
    }
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"faces": found.faces, **rounded}
