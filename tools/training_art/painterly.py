"""Paint over photographs, so that they look like paintings.

Paintings with a free licence are rare. A painted-over photograph has the content of a
photograph but counts as a drawing, so the judge of photographs has to learn how a
picture was made.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import paint

Pixels = NDArray[np.uint8]
Random = np.random.Generator

#: Larger pictures are reduced to this side first: brushes are a few pixels wide.
_SIDE = 700


def painted_over(photograph: Pixels, random: Random) -> Pixels:
    """Paint over an RGB photograph: strokes, perhaps ink, flat colours, grading."""
    scale = _SIDE / max(photograph.shape[:2])
    pixels = photograph
    if scale < 1:
        size = (
            max(8, int(pixels.shape[1] * scale)),
            max(8, int(pixels.shape[0] * scale)),
        )
        pixels = _pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    pixels = _STROKES[int(random.integers(len(_STROKES)))](pixels, random)
    if random.random() < 0.4:
        pixels = inked(pixels)
    if random.random() < 0.5:
        pixels = flattened(pixels, random)
    return paint.graded(pixels, random) if random.random() < 0.4 else pixels


def kuwahara(pixels: Pixels, random: Random) -> Pixels:
    """Give each pixel the mean of the square with the lowest variance around it.

    Source: Kuwahara et al. 1976, Processing of RI-angiocardiographic images.
    """
    side = int(random.choice([3, 5, 7]))
    colour = pixels.astype(np.float32)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    best = np.zeros_like(colour)
    least = np.full(grey.shape, np.inf, np.float32)
    for anchor in ((0, 0), (0, side - 1), (side - 1, 0), (side - 1, side - 1)):
        mean = cv2.blur(grey, (side, side), anchor=anchor)
        spread = cv2.blur(grey * grey, (side, side), anchor=anchor) - mean * mean
        calmer = spread < least
        here = cv2.blur(colour, (side, side), anchor=anchor)
        best = np.where(calmer[..., None], here, best)
        least = np.minimum(spread, least)
    return _pixels(best)


def bilateral(pixels: Pixels, random: Random) -> Pixels:
    """Smooth within edges, three times."""
    for _ in range(3):
        pixels = _pixels(cv2.bilateralFilter(pixels, 7, random.uniform(25, 60), 7))
    return pixels


def mean_shift(pixels: Pixels, random: Random) -> Pixels:
    """Merge neighbouring colours (mean shift)."""
    return _pixels(cv2.pyrMeanShiftFiltering(pixels, 8, random.uniform(15, 35)))


def median(pixels: Pixels, random: Random) -> Pixels:
    """Remove detail finer than a brush: a median filter, twice."""
    for _ in range(2):
        pixels = _pixels(cv2.medianBlur(pixels, int(random.choice([5, 7, 9]))))
    return pixels


def oil(pixels: Pixels, random: Random) -> Pixels:
    """Apply the oil effect twice."""
    return paint.oil(paint.oil(pixels, random), random)


def inked(pixels: Pixels) -> Pixels:
    """Draw outlines over a picture."""
    grey = cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 6
    )
    return _pixels(pixels * (0.25 + 0.75 * (lines[..., None] > 0)))


def flattened(pixels: Pixels, random: Random) -> Pixels:
    """Reduce each colour to a few levels."""
    step = 256 / int(random.choice([8, 12, 20, 32]))
    bright = pixels.astype(np.float32) * random.uniform(0.9, 1.25)
    return _pixels(cv2.medianBlur(_pixels(np.round(bright / step) * step), 3))


_STROKES = (bilateral, mean_shift, median, kuwahara, oil)


def _pixels(values: NDArray[np.generic] | cv2.typing.MatLike) -> Pixels:
    return np.clip(np.asarray(values), 0, 255).astype(np.uint8)
