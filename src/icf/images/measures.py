"""Measures of pixels: sharpness, tone, perceptual hashes, the hash of all pixels.

All take an upright picture or crop as RGB, uint8 of shape (h, w, 3). Measures of grey
values alone also take a `Grey`, so that it is computed once for several measures.
"""

from __future__ import annotations

import functools
import hashlib
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.images.grey import Grey

Pixels = NDArray[np.uint8]
Values = NDArray[np.float32]

#: Side, in pixels, to which a face is reduced before its sharpness is measured, as
#: Laplacian variance depends on scale. 100 is the smallest face the paper keeps
#: (section 3.2).
SHARPNESS_SIDE = 100

#: Weights of red, green and blue in a grey value (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114])

_HASH_SIDE = 8
_DCT_SIDE = 32
#: Side of the grid of means that both hashes are computed from. Twice the DCT's is
#: enough to agree with imagehash, which uses all pixels, within half a bit.
_MEANS_SIDE = 2 * _DCT_SIDE


class Tone(NamedTuple):
    """Brightness and contrast of a crop, 0 to 255.

    Attributes:
        brightness: the mean of the grey values.
        contrast: the standard deviation of the colours: of grey pictures that of their
            grey values, of coloured ones at least that.
    """

    brightness: float
    contrast: float


class Hashes(NamedTuple):
    """Two perceptual hashes, 64 bits each, as signed integers.

    In hex (`icf.catalogue.schema.HexHash`) they are written like those of imagehash.
    """

    phash: int
    dhash: int


def sharpness(crop: Pixels | Grey) -> float:
    """Compute the variance of the Laplacian of the grey crop, reduced to 100 pixels.

    The longer side is reduced to 100; smaller crops are not enlarged, which would make
    them look blurred. Source: iCartoonFace paper, section 3.2.
    """
    grey = Grey.of(crop)
    height, width = grey.pixels.shape
    scale = SHARPNESS_SIDE / max(height, width)
    if scale >= 1:
        return _laplacian_variance(grey.pixels)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _laplacian_variance(grey.resized(*size))


def sharpness_paper(crop: Pixels | Grey) -> float:
    """Compute the variance of the Laplacian of the grey crop at its own size.

    Source: iCartoonFace paper, section 3.2 and figure 4 (e), which names "images"
    of at least 100 x 100: those are the faces, that is crops of the boxes.
    """
    return _laplacian_variance(Grey.of(crop).pixels)


def tone(crop: Pixels) -> Tone:
    """Compute the mean of the grey values, and the standard deviation of the colours.

    Colours of equal grey differ, too.

    >>> shown = tone(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8))
    >>> round(shown.brightness, 6), round(shown.contrast, 6)
    (127.5, 127.5)
    """
    means, deviations = cv2.meanStdDev(crop)
    variance = float(_LUMA @ np.square(deviations[:, 0]))
    return Tone(float(_LUMA @ means[:, 0]), math.sqrt(variance))


def hashes(picture: Pixels | Grey) -> Hashes:
    """Compute both perceptual hashes, which share most of the work.

    `phash`: a bit for each of 8 x 8 low frequencies of the DCT above their median.
    `dhash`: a bit for each of 8 x 8 cells that is darker than its right neighbour.
    The first bit, row by row, is the highest. They are resized as imagehash does it
    (Lanczos), but from a grid of means and not from all pixels.
    """
    means = Grey.of(picture).resized(_MEANS_SIDE, _MEANS_SIDE).astype(np.float32)
    wide = _filtered(means, _DCT_SIDE, _DCT_SIDE)
    low = _COSINES @ wide @ _COSINES.T
    cells = _filtered(means, _HASH_SIDE, _HASH_SIDE + 1)
    return Hashes(_packed(low > np.median(low)), _packed(cells[:, 1:] > cells[:, :-1]))


def phash(picture: Pixels | Grey) -> int:
    """Compute only the DCT hash of `hashes`."""
    return hashes(picture).phash


def dhash(picture: Pixels | Grey) -> int:
    """Compute only the gradient hash of `hashes`."""
    return hashes(picture).dhash


def pixel_hash(pixels: Pixels) -> str:
    """Compute the SHA-256 of size and pixels, equal for equal pictures in any file."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def hamming(
    hashes: NDArray[np.int64], other: int | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count differing bits of signed 64-bit hashes, elementwise.

    >>> hamming(np.array([0, -1]), 1)
    array([ 1, 63])
    """
    # For signed numbers, bitwise_count counts the bits of the absolute value.
    differing = np.bitwise_xor(hashes, other).view(np.uint64)
    return np.bitwise_count(differing).astype(np.int64)


def is_flat(pixels: Pixels) -> bool:
    """Return whether the picture has one colour only, so that hashes are useless."""
    # A few pixels are nearly always enough; if they are equal, all are checked.
    return _is_one_colour(pixels[::16, ::16]) and _is_one_colour(pixels)


def _is_one_colour(pixels: Pixels) -> bool:
    # By channel, each in one row: many times faster than pixel by pixel.
    channels = np.ascontiguousarray(pixels.transpose(2, 0, 1)).reshape(3, -1)
    return bool(np.ptp(channels, axis=1).max() <= 2)


def _laplacian_variance(grey: Pixels) -> float:
    # 16 bits hold every value: 4 x 255 in both directions.
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0]) ** 2


def _filtered(means: NDArray[np.float32], height: int, width: int) -> Values:
    """Resize the grid of means with a Lanczos filter, to whole grey values.

    Equal neighbours must stay equal: hence the rounding, as in Pillow.
    """
    down, across = _lanczos(means.shape[0], height), _lanczos(means.shape[1], width)
    return np.clip(np.rint(down @ means @ across.T), 0, 255)


@functools.cache
def _lanczos(pixels: int, cells: int) -> Values:
    """Compute the weights of the pixels in each cell, shape (cells, pixels).

    Lanczos with three lobes, scaled by the reduction, as in Pillow.
    """
    scale = pixels / cells
    centres = (np.arange(cells)[:, None] + 0.5) * scale
    away = (np.arange(pixels)[None, :] + 0.5 - centres) / scale
    weights = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def _cosines() -> Values:
    """Compute the 8 lowest rows of the 32-point DCT-II."""
    frequency = np.arange(_HASH_SIDE)[:, None]
    place = np.arange(_DCT_SIDE)[None, :]
    angles = math.pi * frequency * (2 * place + 1) / (2 * _DCT_SIDE)
    return (2 * np.cos(angles)).astype(np.float32)


_COSINES = _cosines()
