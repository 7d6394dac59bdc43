"""How sharp the edges of a picture are, whatever its contrast, and its real resolution.

The measure is the share of the contrast around edges that is in details of one pixel.
Blur takes away this share, and so does enlarging; exposure does not change it. All
channels count, so that colours of equal lightness have edges too. Noise has as much
fine detail away from edges as at them, and is subtracted.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Values = NDArray[np.float32]
Picture = TypeVar("Picture", Pixels, Values)

#: Shorter side, in pixels, to which a picture is reduced before anything is measured.
LARGEST = 200
#: Shorter side at which the sharpness of edges is told: the smallest face that the
#: paper keeps (section 3.2). Smaller pictures are measured as they are.
SHARPNESS_SIDE = 100
#: The sharpness that a drawing has at its real resolution. Chosen so that enlarged
#: drawings read their side before they were enlarged (docs/filter/sharpness.md).
REAL_SHARPNESS = 0.2

#: No level of the pyramid is smaller.
_SMALLEST = 16
#: Side, in pixels, of what counts as around a pixel: its contrast, its detail.
_AROUND, _NEAR = 7, 5
#: Shares of pixels by their contrast: the least are no edges, the most are edges.
_PLAIN, _EDGES = 0.3, 0.85
#: Shorter side under which no part of a face is plain, so that noise is not told.
_PLAIN_SIDE = 40
#: Fine detail away from edges is counted for more, since it is only estimated.
_NOISE_MARGIN = 1.3
#: Least share of fine detail at half the size that is compared with.
_LEAST_DETAIL = 0.06
#: How much of the differences between neighbouring rows is counted, the share of rows
#: that have them in an enlargement by repeated pixels at most, and the real rows of a
#: picture for each of those rows.
_DIFFERENCES, _REPEATED, _ROWS_FOR_EACH = 0.9, 0.33, 1.4

_SUM = np.ones((1, 3))


class Edges(NamedTuple):
    """Sharpness and resolution.

    Attributes:
        sharpness: of the edges at a shorter side of 100 pixels: 0 for none, 0.2 and
            more for sharp drawings.
        resolution: the shorter side, in pixels, to which the picture can be reduced
            without losing detail; at most its own, and at most `LARGEST`.
    """

    sharpness: float
    resolution: float


def measure_edges(crop: Pixels) -> Edges:
    """Measure the edges of a picture.

    Args:
        crop: RGB, uint8 of shape (h, w, 3).
    """
    side = float(min(crop.shape[:2]))
    sides, values = _by_size(crop)
    told_at = min(side, SHARPNESS_SIDE)
    sharpness = float(np.exp(np.interp(np.log(told_at), sides, values)))
    unrepeated = _unrepeated(crop)
    # As if it had been enlarged smoothly: see `_crossing`.
    sharpness *= min(1.0, unrepeated / told_at) ** 2
    return Edges(sharpness, min(_crossing(sides, values), unrepeated, side))


def _by_size(crop: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of several shorter sides, ascending, and of the sharpness at each."""
    level = _reduced(crop, LARGEST).astype(np.float32)
    side = float(min(level.shape[:2]))
    sides, details = list[float](), list[float]()
    noise = math.inf if side >= _PLAIN_SIDE else 0.0
    while len(sides) < 2 or side >= _SMALLEST:
        smaller = _reduced(level, max(1, round(side / 2)))
        fine, noise = _fine_detail(level, noise)
        sides.append(side)
        details.append(fine)
        level, side = smaller, side / 2
    # Thin lines have more fine detail than the borders of areas, at every size.
    own, half = np.array(details[:-1]), np.array(details[1:])
    values = own / np.sqrt(np.maximum(half, _LEAST_DETAIL))
    return np.log(sides[-2::-1]), np.log(np.maximum(values[::-1], 1e-6))


def _fine_detail(level: Values, most_noise: float) -> tuple[float, float]:
    """The share of the contrast around edges that is in details of one pixel.

    Overwrites ``level``: new memory costs more than the arithmetic.

    Args:
        level: the picture at one size.
        most_noise: the noise at the next larger size, which reducing does not add to.

    Returns:
        The share, and the noise: the energy of fine detail away from edges.
    """
    around = (_AROUND, _AROUND)
    smooth = cv2.GaussianBlur(level, (3, 3), 0.85)
    mean = cv2.blur(smooth, around)
    detail = _energy(cv2.subtract(level, smooth, dst=level))
    near = cv2.blur(detail, (_NEAR, _NEAR), dst=detail)[::2, ::2]
    energy = _energy(smooth)
    contrast = (cv2.blur(energy, around, dst=energy) - _energy(mean))[::2, ::2]
    places = [int(share * (contrast.size - 1)) for share in (_PLAIN, _EDGES)]
    plain_below, edges_from = np.partition(contrast.ravel(), places)[places]
    at_edges, plain = contrast >= edges_from, contrast <= plain_below
    noise = min(float(near[plain].mean()), most_noise)
    fine = near[at_edges].mean() - _NOISE_MARGIN * noise
    coarse = contrast[at_edges].mean() - contrast[plain].mean()
    return float(max(fine, 0.0) / max(coarse, fine, 1e-3)), noise


def _energy(values: Values | cv2.typing.MatLike) -> Values:
    """The sum of the squares of all channels; overwrites ``values`` with them."""
    squares = cv2.multiply(values, values, dst=values)
    return np.asarray(cv2.transform(squares, _SUM), np.float32)


def _crossing(sides: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The largest side at which edges are as sharp as at the real resolution."""
    over = values - np.log(REAL_SHARPNESS)
    sharp = np.flatnonzero(over >= 0)
    if not len(sharp):
        # Beyond the real resolution, sharpness falls with the square of the size.
        return float(np.exp(sides[0] + over[0] / 2))
    last = sharp[-1]
    if last == len(sides) - 1:
        return float(np.exp(sides[-1]))
    part = over[last] / (over[last] - over[last + 1])
    return float(np.exp(sides[last] + part * (sides[last + 1] - sides[last])))


def _unrepeated(crop: Pixels) -> float:
    """The shorter side without repeated rows and columns; infinite if none are.

    Enlarging by repeating pixels keeps edges sharp, but then only few rows, and few
    columns, differ from the one before.
    """
    down = _differing(crop[1:], crop[:-1], 1)
    across = _differing(crop[:, 1:], crop[:, :-1], 0)
    share = max(down, across)
    real = share * _ROWS_FOR_EACH * min(crop.shape[:2])
    return real if share < _REPEATED else math.inf


def _differing(one: Pixels, other: Pixels, axis: int) -> float:
    """The share of rows (axis 1) or columns (0) that have most of the differences."""
    if not one.size:
        return 1.0
    sums = cv2.reduce(cv2.absdiff(one, other), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    falling = np.sort(sums.sum(axis=2).ravel())[::-1].cumsum()
    needed = np.searchsorted(falling, _DIFFERENCES * falling[-1]) + 1
    return float(needed / len(falling))


def _reduced(picture: Picture, side: int) -> Picture:
    """Reduce a picture to a shorter side; a smaller one is only copied."""
    height, width = picture.shape[:2]
    scale = side / min(height, width)
    if scale >= 1:
        return picture.copy()
    size = max(1, round(width * scale)), max(1, round(height * scale))
    reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, picture.dtype)
