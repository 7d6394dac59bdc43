"""The light of a scene and the way it is printed: what changes from page to page."""

from __future__ import annotations

import random
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_Pixels = NDArray[np.float32]


def lit(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Put a picture into another light: by day, by a lamp, by night, faded.

    Args:
        picture: RGB.
        rng: chooses the light; two in five pictures stay as they are.

    Returns:
        RGB, of the same size.
    """
    return _changed(picture, rng, (None, None, _lamp, _night, _faded))


def shown(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Show a picture as a frame of a series, or as a page of the comic it comes from.

    Args:
        picture: RGB.
        rng: chooses how; a third of the pictures stay as they are.

    Returns:
        RGB, of the same size.
    """
    return _changed(picture, rng, (None, None, _lamp, _night, _faded, _screentone))


def _changed(
    picture: Image.Image,
    rng: random.Random,
    ways: tuple[Callable[[_Pixels, random.Random], _Pixels] | None, ...],
) -> Image.Image:
    way = rng.choice(ways)
    if way is None:
        return picture
    pixels = way(np.asarray(picture.convert("RGB"), np.float32), rng)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _lamp(pixels: _Pixels, rng: random.Random) -> _Pixels:
    """Warm light from one side, and dark corners."""
    h, w = pixels.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    middle = w * rng.uniform(0.2, 0.8), h * rng.uniform(0.2, 0.6)
    far = np.hypot(x - middle[0], y - middle[1]) / max(h, w)
    light = 1.15 * np.exp(-2.2 * far**2)[..., None]
    warm = np.array((1.08, 0.84, 0.55), np.float32)
    return np.asarray(pixels * light * warm + 8, np.float32)


def _night(pixels: _Pixels, rng: random.Random) -> _Pixels:
    """Blue light, few colours, little contrast."""
    grey = pixels.mean(axis=2, keepdims=True)
    pale = grey + 0.45 * (pixels - grey)
    blue = np.array((0.42, 0.55, 0.86), np.float32) * rng.uniform(0.75, 1.0)
    return np.asarray(pale * blue + 14, np.float32)


def _faded(pixels: _Pixels, rng: random.Random) -> _Pixels:
    """The colours of an old print."""
    grey = pixels @ np.array((0.3, 0.59, 0.11), np.float32)
    paper = np.array((1.0, 0.9, 0.72), np.float32)
    old = grey[..., None] * paper
    share = rng.uniform(0.55, 0.95)
    return np.asarray((old * share + pixels * (1 - share)) * 0.8 + 42, np.float32)


def _screentone(pixels: _Pixels, rng: random.Random) -> _Pixels:
    """Black ink and dots on white paper."""
    grey = pixels @ np.array((0.3, 0.59, 0.11), np.float32)
    h, w = grey.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    pitch = rng.uniform(0.9, 1.3)
    dots = (np.sin((x + y) * pitch) * np.sin((x - y) * pitch) + 1) * 127.5
    tone = np.where(grey > 168, 255, np.where(grey < 62, 20, 0))
    between = np.where(dots > grey * 0.6 + 70, 70, 255)
    inked = np.where(tone > 0, tone, between).astype(np.float32)
    soft = cv2.GaussianBlur(inked, (0, 0), 0.6)
    return np.repeat(np.asarray(soft, np.float32)[..., None], 3, axis=2)
