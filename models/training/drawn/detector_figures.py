"""Measure a detector on held-out styles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from icf.models.detection import Detection, Detector
from icf.models.training.detector import average_precision
from icf.tools.training_art import paint, place
from icf.tools.training_art.compose import Scene, compose
from icf.tools.training_art.heads import Art

#: Scenes of each style, scenes without a face, and their side in pixels.
SCENES, EMPTY, SIDE = 80, 160, 384
#: Lowest score of boxes that count for the average precision.
MIN_SCORE = 0.02
_SEED = 1


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
        figures[style] = _figures(matches(shown, found), least)
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


def matches(
    shown: Sequence[Scene], found: Sequence[Sequence[Detection]]
) -> average_precision.Matches:
    """Match the boxes of scenes to their faces."""
    truths = [average_precision.Truth(s.boxes, s.kinds, s.ignored) for s in shown]
    return average_precision.matched(truths, found)


def _figures(found: average_precision.Matches, least: float) -> dict[str, float]:
    taken = found.scores >= least
    hits, faces = int(found.hits[taken].sum()), int(found.faces.sum())
    figures = {
        "ap50": average_precision.area(found),
        "recall": hits / faces,
        "precision": hits / max(1, int(taken.sum())),
        "kind": int(found.right_kind[taken].sum()) / max(1, hits),
    }
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"faces": faces, **rounded}
