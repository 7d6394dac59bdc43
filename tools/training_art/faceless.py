"""Figures whose face is painted over: what is left of them is no face.

Hair, neck, clothes, hands and jewels are what a detector mistakes for faces. Of a
figure whose face is gone they are all that can be found, and wrong.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art.styles import Box

Pixels = NDArray[np.uint8]
Random = np.random.Generator

#: How much larger than the face the painted oval is, at least and at most.
_REACH = (1.05, 1.45)
#: Opacity from which a pixel belongs to a figure.
_SOLID = 128


def painted_over(pixels: Pixels, face: Box, random: Random) -> Pixels:
    """Paint over a face: with skin, with another colour of the picture, or its parts.

    Args:
        pixels: RGB or RGBA.
        face: its box in pixels.
        random: chooses how.

    Returns:
        A copy of the same shape; where it is transparent stays as it is.
    """
    height, width = pixels.shape[:2]
    colours = np.ascontiguousarray(pixels[..., :3])
    oval = _oval((height, width), face, random)
    kind = int(random.integers(4))
    beside = _beside((height, width), face)
    if kind == 2 and not beside:
        kind = 1
    if kind == 0:
        over = _shaded(_colour_inside(colours, face), colours.shape, random)
    elif kind == 1:
        over = _shaded(_colour_elsewhere(pixels, oval, random), colours.shape, random)
    elif kind == 2:
        shift = beside[int(random.integers(len(beside)))]
        matrix = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], np.float64)
        over = cv2.warpAffine(colours, matrix, (width, height)).astype(np.float32)
    else:
        over = _torn(colours, face, random)
    share = cv2.GaussianBlur(oval, (0, 0), max(0.5, (face[2] - face[0]) / 40))
    share = share.astype(np.float32)[..., None] / 255
    mixed = colours * (1 - share) + over * share
    made = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return np.concatenate([made, pixels[..., 3:]], 2)


def _oval(shape: tuple[int, int], face: Box, random: Random) -> Pixels:
    x1, y1, x2, y2 = face
    reach = random.uniform(*_REACH)
    middle = (round((x1 + x2) / 2), round((y1 + y2) / 2))
    axes = (max(1, round((x2 - x1) / 2 * reach)), max(1, round((y2 - y1) / 2 * reach)))
    mask = np.zeros(shape, np.uint8)
    if random.random() < 0.3:
        corner, other = (np.array(middle) + sign * np.array(axes) for sign in (-1, 1))
        cv2.rectangle(mask, corner.tolist(), other.tolist(), 255, -1)
    else:
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    return mask


def _part(pixels: Pixels, box: Box) -> Pixels:
    height, width = pixels.shape[:2]
    x1, x2 = (int(np.clip(v, 0, width - 1)) for v in (box[0], box[2]))
    y1, y2 = (int(np.clip(v, 0, height - 1)) for v in (box[1], box[3]))
    return pixels[y1 : max(y1 + 1, y2), x1 : max(x1 + 1, x2)]


def _colour_inside(colours: Pixels, face: Box) -> NDArray[np.float32]:
    own = _part(colours, face).reshape(-1, 3)
    return np.asarray(np.median(own, 0), np.float32)


def _colour_elsewhere(
    pixels: Pixels, oval: Pixels, random: Random
) -> NDArray[np.float32]:
    there = oval == 0
    if pixels.shape[2] > 3:
        there &= pixels[..., 3] >= _SOLID
    found = pixels[there]
    if not len(found):
        return np.asarray(random.uniform(0, 255, 3), np.float32)
    return np.asarray(found[int(random.integers(len(found)))][:3], np.float32)


def _shaded(
    colour: NDArray[np.float32], shape: tuple[int, ...], random: Random
) -> NDArray[np.float32]:
    """A flat colour, lighter on one side, with a few soft spots."""
    height, width = shape[:2]
    slope = random.uniform(-0.5, 0.5, 2)
    light = 1 + slope[0] * np.linspace(-1, 1, width)[None]
    light = light + slope[1] * np.linspace(-1, 1, height)[:, None]
    spots = random.normal(1, random.uniform(0, 0.25), (7, 7)).astype(np.float32)
    soft = cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((light * soft)[..., None] * colour, np.float32)


def _beside(shape: tuple[int, int], face: Box) -> list[tuple[float, float]]:
    """The ways to a place beside the face, as large, that lies in the picture."""
    x1, y1, x2, y2 = face
    across, down = 1.4 * (x2 - x1), 1.4 * (y2 - y1)
    return [
        (x, y)
        for x, y in ((0.0, down), (across, 0.0), (-across, 0.0), (0.0, -down))
        if x1 + x >= 0 and y1 + y >= 0 and x2 + x <= shape[1] and y2 + y <= shape[0]
    ]


def _torn(colours: Pixels, face: Box, random: Random) -> NDArray[np.float32]:
    """The face's own pixels in blocks that changed places: its colours alone."""
    over = colours.astype(np.float32)
    part = _part(colours, face)
    count = int(random.integers(3, 6))
    side = max(count, min(part.shape[:2]) // count * count)
    square = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
    cell = side // count
    blocks = [
        np.rot90(
            square[r * cell : (r + 1) * cell, c * cell : (c + 1) * cell],
            int(random.integers(4)),
        )
        for r in range(count)
        for c in range(count)
    ]
    order = random.permutation(len(blocks))
    rows = [
        np.hstack([blocks[order[r * count + c]] for c in range(count)])
        for r in range(count)
    ]
    height, width = colours.shape[:2]
    x1, y1 = (int(v) for v in face[:2])
    size = (
        max(1, int((face[2] - face[0]) * 1.3)),
        max(1, int((face[3] - face[1]) * 1.3)),
    )
    made = cv2.resize(np.vstack(rows), size, interpolation=cv2.INTER_LINEAR)
    x1, y1 = x1 - size[0] // 9, y1 - size[1] // 9
    left, top = max(0, x1), max(0, y1)
    right, bottom = min(width, x1 + size[0]), min(height, y1 + size[1])
    if right > left and bottom > top:
        over[top:bottom, left:right] = made[
            top - y1 : bottom - y1, left - x1 : right - x1
        ]
    return over
