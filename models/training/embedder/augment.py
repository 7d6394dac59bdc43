"""Changed crops: as other pictures of the same character would be.

Each change is drawn from a generator that is given, so a crop can be made again.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.models.training.embedder.config import AugmentSettings

Pixels = NDArray[np.uint8]
Random = np.random.Generator

_UNCHANGED = AugmentSettings(flip=0, shift=0, scale=0, turn=0)


def augmented(
    crop: Pixels, view: float, side: int, settings: AugmentSettings, random: Random
) -> Pixels:
    """Return a changed crop.

    Args:
        crop: RGB, shape (s, s, 3).
        view: which part of its side the network is to see; the rest is room to move.
        side: of the result, in pixels.
        settings: how much is changed.
        random: source of all randomness.

    Returns:
        RGB, shape (side, side, 3).
    """
    moved = _moved(crop, view, side, settings, random)
    if random.random() < settings.blur:
        moved = _blurred(moved, random)
    moved = _recoloured(moved, settings, random)
    if random.random() < settings.hide:
        _hide(moved, random)
    if random.random() < settings.jpeg:
        moved = _compressed(moved, random)
    return moved


def plain(crop: Pixels, view: float, side: int) -> Pixels:
    """Return a crop as the network is to see it, unchanged: ``(side, side, 3)``."""
    return _moved(crop, view, side, _UNCHANGED, np.random.default_rng(0))


def _moved(
    crop: Pixels, view: float, side: int, settings: AugmentSettings, random: Random
) -> Pixels:
    """Mirror, turn, scale and shift in one interpolation."""
    mirrored = random.random() < settings.flip
    zoom = float(np.exp(random.normal(0, 1) * settings.scale))
    angle = np.deg2rad(random.normal(0, 1) * settings.turn)
    shift = random.normal(0, 1, 2) * settings.shift * side
    scale = side / (len(crop) * view) * zoom
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    # Pixel centres are at halves: the middle of the crop goes to that of the result.
    middle = np.full(2, (len(crop) - 1) / 2)
    wanted = np.full(2, (side - 1) / 2) + shift
    matrix = np.hstack([linear, (wanted - linear @ middle)[:, None]])
    # A bilinear interpolation that shrinks by more than a half would alias.
    if scale < 0.5:
        smaller = round(len(crop) * scale)
        crop = np.asarray(
            cv2.resize(crop, (smaller, smaller), interpolation=cv2.INTER_AREA), np.uint8
        )
        return _moved_again(crop, matrix, scale, side)
    return np.asarray(
        cv2.warpAffine(crop, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _moved_again(
    smaller: Pixels, matrix: NDArray[np.float64], scale: float, side: int
) -> Pixels:
    """Apply a matrix for the crop to one that is already reduced by its scale."""
    linear = matrix[:, :2] / scale
    middle = np.full(2, (len(smaller) - 1) / 2)
    large = np.full(2, (len(smaller) / scale - 1) / 2)
    wanted = matrix[:, :2] @ large + matrix[:, 2]
    changed = np.hstack([linear, (wanted - linear @ middle)[:, None]])
    return np.asarray(
        cv2.warpAffine(smaller, changed, (side, side), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _blurred(crop: Pixels, random: Random) -> Pixels:
    """Blur, or enlarge from a smaller size, as faces of small pictures are."""
    side = len(crop)
    if random.random() < 0.5:
        return np.asarray(
            cv2.GaussianBlur(crop, (0, 0), float(random.uniform(0.4, 1.6))), np.uint8
        )
    small = max(8, int(side * random.uniform(0.35, 0.8)))
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (side, side)), np.uint8)


def _recoloured(crop: Pixels, settings: AugmentSettings, random: Random) -> Pixels:
    """Change brightness, contrast, saturation and hues, or take the colours away."""
    grey = random.random() < settings.grey
    bright, contrast, colour = random.normal(0, 1, 3) * settings.colour
    turned = settings.palette > 0 and random.random() < settings.palette
    if not (grey or settings.colour or turned):
        return crop
    # All three are one linear map of the colours: a matrix and an offset.
    weights = np.array([0.299, 0.587, 0.114])
    saturation = 0.0 if grey else float(np.exp(colour))
    matrix = saturation * np.eye(3) + (1 - saturation) * weights[None, :]
    if turned:
        matrix = matrix @ _hues_turned(random.uniform(0, 2 * np.pi))
    gain = float(np.exp(0.7 * contrast))
    offset = 128 * (1 - gain) + 128 * 0.5 * bright
    full = np.hstack([gain * matrix, np.full((3, 1), offset)])
    return np.asarray(cv2.transform(crop, full), np.uint8)


def _hues_turned(angle: float) -> NDArray[np.float64]:
    """Return the rotation of RGB colours about the axis of greys: shape (3, 3)."""
    across = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    along = np.full((3, 3), (1 - np.cos(angle)) / 3)
    turn = np.cos(angle) * np.eye(3) + along + np.sin(angle) / np.sqrt(3) * across
    return np.asarray(turn, np.float64)


def _hide(crop: Pixels, random: Random) -> None:
    """Cover a part, as hands, balloons and other heads do."""
    side = len(crop)
    width, height = random.integers(side // 8, side // 3 + 1, 2)
    left, top = random.integers(0, side, 2)
    colour = [int(value) for value in random.integers(0, 256, 3)]
    corner = (int(left + width), int(top + height))
    cv2.rectangle(crop, (int(left), int(top)), corner, colour, -1)


def _compressed(crop: Pixels, random: Random) -> Pixels:
    quality = int(random.integers(25, 85))
    done, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
