"""Paint pictures over with strokes of brushes, as paintings are made.

After Aaron Hertzmann, "Painterly Rendering with Curved Brush Strokes of Multiple Sizes"
(SIGGRAPH 1998).
"""

from __future__ import annotations

import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Radii of the brushes, coarse to fine, as shares of the picture's shorter side.
_BRUSHES = (0.03, 0.014, 0.007, 0.004)
#: A stroke is painted where the canvas differs by so much, of 255 in three channels.
_DIFFERENCE = 42.0


def brushed(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Paint a picture with strokes, from a wide brush to a fine one.

    Args:
        picture: RGB.
        rng: chooses the order and the small differences of the strokes.

    Returns:
        RGB, of the same size; every line stays within a stroke of where it was.
    """
    source = np.asarray(picture.convert("RGB"))
    random_ = np.random.default_rng(rng.randrange(2**32))
    wide = rng.uniform(0.8, 1.7)
    toned = rng.uniform(150, 190), rng.uniform(120, 160), rng.uniform(90, 130)
    canvas = np.full_like(source, np.array(toned, np.uint8))
    for k, share in enumerate(_BRUSHES):
        radius = max(1, round(share * wide * min(source.shape[:2])))
        wanted = cv2.GaussianBlur(source, (0, 0), radius * 0.6)
        layer = _Layer(canvas, np.asarray(wanted, np.uint8), radius)
        layer.paint(random_, everywhere=k == 0)
    relief = cv2.GaussianBlur(random_.normal(0, 1, source.shape[:2]), (0, 0), 1.2)
    weave = 1 + 0.02 * relief[..., None] / max(float(relief.std()), 1e-6)
    return Image.fromarray(np.clip(canvas * weave, 0, 255).astype(np.uint8))


class _Layer:
    """One brush at work on a canvas."""

    def __init__(
        self, canvas: NDArray[np.uint8], wanted: NDArray[np.uint8], radius: int
    ) -> None:
        self._canvas, self._wanted, self._radius = canvas, wanted, radius
        grey = cv2.cvtColor(wanted, cv2.COLOR_RGB2GRAY).astype(np.float32)
        self._slope = (
            cv2.Sobel(grey, cv2.CV_32F, 1, 0),
            cv2.Sobel(grey, cv2.CV_32F, 0, 1),
        )

    def paint(self, random_: np.random.Generator, *, everywhere: bool) -> None:
        """Paint where the canvas is not yet as it should be, in any order."""
        off = np.abs(self._canvas.astype(np.int16) - self._wanted)
        side = 2 * self._radius + 1
        near = cv2.boxFilter(off.sum(axis=2).astype(np.float32), -1, (side, side))
        step = max(2, self._radius)
        h, w = near.shape
        ys, xs = np.mgrid[step // 2 : h : step, step // 2 : w : step]
        for x, y in random_.permutation(np.column_stack([xs.ravel(), ys.ravel()])):
            if not everywhere and near[y, x] < _DIFFERENCE:
                continue
            tint = np.clip(self._wanted[y, x] + random_.normal(0, 4, 3), 0, 255)
            cv2.polylines(
                self._canvas,
                [np.array(self._stroke(int(x), int(y)), np.int32)],
                False,
                tuple(float(value) for value in tint),
                2 * self._radius,
                cv2.LINE_AA,
            )

    def _stroke(self, x: int, y: int) -> list[tuple[int, int]]:
        """Follow the edges of a colour for as long as it is the best one there."""
        h, w = self._canvas.shape[:2]
        colour = self._wanted[y, x].astype(np.int16)
        points, at, before = [(x, y)], (float(x), float(y)), (0.0, 0.0)
        for k in range(7):
            column, row = int(at[0]), int(at[1])
            if k > 2:
                here = self._wanted[row, column].astype(np.int16)
                as_it_is = np.abs(here - self._canvas[row, column]).sum()
                if np.abs(here - colour).sum() > as_it_is:
                    break
            dx, dy = (float(slope[row, column]) for slope in self._slope)
            length = math.hypot(dx, dy)
            if length < 1:
                break
            along = -dy, dx
            if before[0] * along[0] + before[1] * along[1] < 0:
                along = dy, -dx
            before = along
            at = (
                at[0] + self._radius * along[0] / length,
                at[1] + self._radius * along[1] / length,
            )
            if not (0 <= at[0] < w and 0 <= at[1] < h):
                break
            points.append((int(at[0]), int(at[1])))
        return points if len(points) > 1 else [(x, y), (x, y)]
