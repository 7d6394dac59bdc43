"""Places for characters: backgrounds, clutter without faces, text balloons."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art.heads import Art, Pixels

Random = np.random.Generator


def background(art: Art, side: int, random: Random) -> Pixels:
    """Return a picture of ``side`` x ``side`` pixels without a face."""
    chance = random.random()
    if chance < 0.45 and art.places:
        return _cut(art.places[int(random.integers(len(art.places)))], side, random)
    if chance < 0.6:
        return _clouds(side, random)
    if chance < 0.7:
        return _stripes(side, random)
    first, last = random.integers(0, 256, (2, 3))
    if chance < 0.85:
        last = first
    elif chance < 0.92:
        first, last = np.array([255, 255, 255]), np.array([255, 255, 255])
    ramp = np.linspace(first, last, side)[:, None]
    whole = np.repeat(ramp, side, 1).astype(np.uint8)
    return np.ascontiguousarray(
        whole if random.random() < 0.5 else whole.swapaxes(0, 1)
    )


def _cut(picture: Pixels, side: int, random: Random) -> Pixels:
    height, width = picture.shape[:2]
    size = int(min(height, width) * random.uniform(0.25, 1))
    x = int(random.integers(0, width - size + 1))
    y = int(random.integers(0, height - size + 1))
    cut = picture[y : y + size, x : x + size]
    by = cv2.INTER_AREA if size > side else cv2.INTER_LINEAR
    cut = np.asarray(cv2.resize(cut, (side, side), interpolation=by), np.uint8)
    return np.ascontiguousarray(cut[:, ::-1] if random.random() < 0.5 else cut)


def _clouds(side: int, random: Random) -> Pixels:
    """Return noise of several scales that looks painted."""
    total = np.zeros((side, side, 3), np.float32)
    weight = 1.0
    for cells in (2, 5, 11, 27):
        noise = random.uniform(0, 1, (cells, cells, 3)).astype(np.float32)
        total += weight * cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
        weight *= random.uniform(0.3, 0.8)
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low) * 255, np.uint8)


def _stripes(side: int, random: Random) -> Pixels:
    y, x = np.mgrid[:side, :side]
    angle, pitch = random.uniform(0, np.pi), random.uniform(4, side / 2)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch)
    if random.random() < 0.4:
        wave *= np.sin((x * np.sin(angle) - y * np.cos(angle)) * 2 * np.pi / pitch)
    colours = random.integers(0, 256, (2, 3)).astype(np.uint8)
    return np.asarray(colours[(wave > 0).astype(np.int64)], np.uint8)


def clutter(canvas: Pixels, art: Art, random: Random, count: int) -> None:
    """Draw things without a face on ``canvas``."""
    scatter(canvas, art.things, random, count)


def scatter(
    canvas: Pixels, things: Sequence[Pixels], random: Random, count: int
) -> None:
    """Draw some of ``things``, RGBA, on ``canvas``."""
    side = max(canvas.shape[:2])
    for _ in range(count if things else 0):
        thing = things[int(random.integers(len(things)))]
        size = side * random.uniform(0.08, 0.8)
        scale = size / max(thing.shape[:2])
        matrix = cv2.getRotationMatrix2D(
            (thing.shape[1] / 2, thing.shape[0] / 2), random.normal(0, 25), scale
        )
        matrix[:, 2] += random.uniform(0, 1, 2) * canvas.shape[1::-1] - (
            thing.shape[1] / 2,
            thing.shape[0] / 2,
        )
        blend(canvas, thing, np.asarray(matrix, np.float64))


def blend(canvas: Pixels, drawing: Pixels, matrix: NDArray[np.float64]) -> None:
    """Draw an RGBA ``drawing`` on ``canvas``, transformed by the affine ``matrix``."""
    h, w = drawing.shape[:2]
    height, width = canvas.shape[:2]
    corners = matrix @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]])
    left, top = np.clip(np.floor(corners.min(1)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(1)), 0, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return
    shifted = matrix.copy()
    shifted[:, 2] -= (left, top)
    layer = cv2.warpAffine(drawing, shifted, (int(right - left), int(bottom - top)))
    alpha = layer[..., 3:].astype(np.uint16)
    part = canvas[top:bottom, left:right]
    part[:] = (part * (255 - alpha) + layer[..., :3] * alpha + 127) // 255


def balloons(
    canvas: Pixels, random: Random, faces: Sequence[tuple[float, float, float, float]]
) -> None:
    """Draw up to three text balloons that cover no face."""
    height, width = canvas.shape[:2]
    for _ in range(int(random.integers(0, 4))):
        a, b = random.uniform(0.08, 0.25, 2) * (width, height)
        x, y = random.uniform(0, 1, 2) * (width, height)
        if any(
            x - a < x2 and x1 < x + a and y - b < y2 and y1 < y + b
            for x1, y1, x2, y2 in faces
        ):
            continue
        centre, axes = (int(x), int(y)), (max(1, int(a)), max(1, int(b)))
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, (0, 0, 0), 1, cv2.LINE_AA)
        for line in range(int(random.integers(1, 4))):
            text = "".join(random.choice(list("ABCDEFGHIKLMNOPRSTUW !?"), 9))
            at = (int(x - a * 0.75), int(y - b * 0.3 + line * b * 0.5))
            scale = max(0.2, a / 110)
            cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1)
