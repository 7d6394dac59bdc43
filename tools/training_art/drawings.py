"""Whole drawings by people, with boxes: what generated heads do not teach.

Boxes are in ``drawings.json``. They were proposed by CenterFace at four sizes, plain
and mirrored (a face is what at least half of the looks found), and looked at; what few
looks found, and heads that are no clear face, are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import faceless, sources

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Random = np.random.Generator

_BOXES = Path(__file__).with_name("drawings.json")
#: Width of a face in a cut, in pixels and as a share of the cut's side.
_LEAST_FACE, _MOST_FACE = 14.0, 0.7
#: Chance that all of a drawing is shown.
_WHOLE = 0.3


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture and its faces.

    Attributes:
        pixels: RGB, h x w x 3.
        faces: n x 4, x1, y1, x2, y2 in pixels.
        ignored: m x 4, which a detector may find or not.
    """

    pixels: Pixels
    faces: Boxes
    ignored: Boxes


def read() -> list[Drawing]:
    """Read the drawings whose packages are in the cache."""
    return list(_read())


def _read() -> Iterator[Drawing]:
    for name, boxes in sorted(json.loads(_BOXES.read_text()).items()):
        pixels = cv2.imread(str(sources.pypi_root() / name))
        if pixels is not None:
            yield Drawing(
                np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8),
                np.array(boxes["faces"], np.float32).reshape(-1, 4),
                np.array(boxes["ignored"], np.float32).reshape(-1, 4),
            )


def without_faces(drawing: Drawing, random: Random) -> Drawing:
    """Paint over all faces of a drawing."""
    pixels = drawing.pixels
    for x1, y1, x2, y2 in drawing.faces.tolist():
        pixels = faceless.painted_over(pixels, (x1, y1, x2, y2), random)
    return Drawing(pixels, drawing.faces[:0], drawing.ignored)


def cut(drawing: Drawing, side: int, random: Random) -> Drawing:
    """Cut a square out of a drawing, shown with ``side`` pixels, perhaps mirrored.

    Args:
        drawing: is not changed.
        side: of what is returned.
        random: decides what is shown, how large.
    """
    height, width = drawing.pixels.shape[:2]
    boxes = drawing.faces if len(drawing.faces) else drawing.ignored
    if not len(boxes) or random.random() < _WHOLE:
        span = max(height, width) * random.uniform(0.5 if not len(boxes) else 1, 1.05)
        middle = random.uniform(0.3, 0.7, 2) * (width, height)
        if len(boxes):
            middle = np.array([width, height]) / 2
    else:
        x1, y1, x2, y2 = boxes[int(random.integers(len(boxes)))].tolist()
        shown = np.exp(random.uniform(np.log(_LEAST_FACE), np.log(_MOST_FACE * side)))
        span = min((x2 - x1) * side / shown, 1.3 * max(height, width))
        middle = np.array([x1 + x2, y1 + y2]) / 2
        middle = middle + random.uniform(-0.35, 0.35, 2) * max(0.0, span - (x2 - x1))
    scale = side / span
    flip = -1 if random.random() < 0.5 else 1
    matrix = np.array(
        [
            [flip * scale, 0, side / 2 - flip * scale * middle[0]],
            [0, scale, side / 2 - scale * middle[1]],
        ]
    )
    source = drawing.pixels
    while scale < 0.5:  # halved first: without aliasing
        smaller = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        source, scale = np.asarray(smaller, np.uint8), scale * 2
    by = source.shape[1] / drawing.pixels.shape[1]
    moved = matrix.copy()
    moved[:, :2] /= by
    colour = tuple(int(v) for v in random.integers(0, 256, 3))
    shown_pixels = cv2.warpAffine(
        source, moved, (side, side), flags=cv2.INTER_LINEAR, borderValue=colour
    )
    return Drawing(
        np.asarray(shown_pixels, np.uint8),
        _moved(drawing.faces, matrix),
        _moved(drawing.ignored, matrix),
    )


def _moved(boxes: Boxes, matrix: NDArray[np.float64]) -> Boxes:
    corners = boxes.reshape(-1, 2, 2) * np.diag(matrix[:, :2]) + matrix[:, 2]
    return np.asarray(
        np.concatenate([corners.min(1), corners.max(1)], 1), np.float32
    ).reshape(-1, 4)
