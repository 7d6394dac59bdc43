"""The versions in which a character is drawn again: as other artists would.

None of these effects was in the training of the bundled models. A version keeps every
line where it is, so that the face's box holds.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Random = np.random.Generator


def night(pixels: Pixels, random: Random) -> Pixels:
    """Two colours, from a dark to a light one, as scenes at night have."""
    dark = np.array(cv2.cvtColor(_hsv(random, 0.9, 0.25), cv2.COLOR_HSV2RGB)[0, 0])
    light = np.array(cv2.cvtColor(_hsv(random, 0.35, 0.95), cv2.COLOR_HSV2RGB)[0, 0])
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None] / 255
    return _pixels(dark + (light.astype(np.float64) - dark) * grey)


def other_palette(pixels: Pixels, random: Random) -> Pixels:
    """All hues turned by the same angle, and other tones."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(random.integers(25, 155))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(0.5, 1.4), 0, 255)
    return _pixels(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))


def watercolour(pixels: Pixels, random: Random) -> Pixels:
    """Flat washes with darker rims, on rough paper."""
    flat = cv2.pyrMeanShiftFiltering(pixels, 8, float(random.uniform(18, 34)))
    grey = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rims = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.5), cv2.CV_32F))
    paper = _grain(pixels.shape[:2], random, 3.0, 0.06)
    washed = flat.astype(np.float32) * 0.75 + 60
    return _pixels((washed - 5 * rims[..., None]) * paper[..., None])


def woodcut(pixels: Pixels, random: Random) -> Pixels:
    """Black hatching, the denser the darker, on tinted paper."""
    h, w = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    y, x = np.mgrid[:h, :w].astype(np.float32)
    angle = random.uniform(0, np.pi)
    wave = 0.5 + 0.5 * np.sin((np.cos(angle) * x + np.sin(angle) * y) * 1.6)
    cut = grey > 0.25 + 0.55 * wave
    edges = cv2.Canny(pixels, 60, 140) > 0
    paper = random.uniform(190, 255, 3)
    return _pixels(np.where((cut & ~edges)[..., None], paper, 25))


def blocks(pixels: Pixels, random: Random) -> Pixels:
    """Large square pixels in few colours, as in old games."""
    h, w = pixels.shape[:2]
    size = float(random.uniform(2.6, 4.2))
    small = cv2.resize(
        pixels, (int(w / size), int(h / size)), interpolation=cv2.INTER_AREA
    )
    step = 256 / int(random.integers(4, 7))
    few = _pixels((np.floor(small / step) + 0.5) * step)
    return _pixels(cv2.resize(few, (w, h), interpolation=cv2.INTER_NEAREST))


def chalk(pixels: Pixels, random: Random) -> Pixels:
    """Light strokes on a dark board."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    strokes = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)) + np.abs(
        cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    )
    dust = _grain(pixels.shape[:2], random, 0.8, 0.35)
    board = np.array((38, 52, 46), np.float32) * random.uniform(0.7, 1.3)
    faint = 0.25 * pixels.astype(np.float32)
    return _pixels(board + faint + (np.minimum(strokes * 1.6, 200) * dust)[..., None])


def oils(pixels: Pixels, random: Random) -> Pixels:
    """Short strokes along the edges, thick paint, a warm or cold light."""
    flat = cv2.medianBlur(pixels, 7)
    h, w = flat.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    bend = 2.5 * (_grain((h, w), random, 5.0, 1.0) - 1)
    moved = cv2.remap(
        flat, x + bend, y - bend, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    light = (
        1
        + random.uniform(-0.25, 0.25, 3)
        + 0.10 * (_grain((h, w), random, 1.5, 1) - 1)[..., None]
    )
    return _pixels(moved.astype(np.float32) * light)


VERSIONS: tuple[Callable[[Pixels, Random], Pixels], ...] = (
    night,
    other_palette,
    watercolour,
    woodcut,
    blocks,
    chalk,
    oils,
)


def _hsv(random: Random, saturation: float, value: float) -> Pixels:
    hue = int(random.integers(0, 180))
    return np.array([[[hue, 255 * saturation, 255 * value]]], np.uint8)


def _grain(
    size: tuple[int, int], random: Random, width: float, strength: float
) -> NDArray[np.float32]:
    """Return soft noise around 1 with a standard deviation of ``strength``."""
    noise = random.normal(0, 1, size).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), width), np.float32)
    return np.asarray(1 + strength * soft / max(float(soft.std()), 1e-6), np.float32)


def _pixels(values: NDArray[np.generic] | cv2.typing.MatLike) -> Pixels:
    return np.clip(np.asarray(values), 0, 255).astype(np.uint8)
