"""What is measured on pixels: sharpness, tone, perceptual hashes, the pixels' own hash.

All take an upright picture or crop as RGB, uint8 of shape (h, w, 3). What looks at grey
alone takes grey as well, of shape (h, w), so that it is made once for several measures.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

#: Side, in pixels, that a face is reduced to before its sharpness is measured, because
#: Laplacian variance depends on scale. 100 is the smallest face the paper keeps
#: (section 3.2).
SHARPNESS_SIDE = 100

_HASH_SIDE = 8
_DCT_SIDE = 32
#: Blocks, across and down, for each number that goes into the DCT.
_BLOCKS = 2
_LANCZOS = Image.Resampling.LANCZOS

#: Of more pixels than this the sum of the grey values may not fit into 31 bits.
_SUMMED_PIXELS = (1 << 31) // 255


class Tone(NamedTuple):
    """How bright a crop is and how much its grey values vary, 0 to 255.

    Attributes:
        brightness: their mean.
        contrast: their standard deviation.
    """

    brightness: float
    contrast: float


class Hashes(NamedTuple):
    """Two perceptual hashes, 64 bits each, signed as numpy holds them.

    In hex (`icf.catalogue.schema.HexHash`) they read like those of imagehash.
    """

    phash: int
    dhash: int


def grey_of(pixels: Pixels) -> Pixels:
    """Weigh red, green and blue as ITU-R BT.601 does; grey stays as it is."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def sharpness(crop: Pixels) -> float:
    """Variance of the Laplacian of the grey crop, its longer side reduced to 100.

    Smaller crops are never enlarged, which would only make them look blurred. Source:
    iCartoonFace paper, section 3.2, most of whose pictures are over 100.
    """
    grey = grey_of(crop)
    height, width = grey.shape
    scale = SHARPNESS_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = _shrunk(grey, *size)
    return _laplacian_variance(grey)


def sharpness_paper(crop: Pixels) -> float:
    """Variance of the Laplacian of the grey crop as it is, in its own size.

    Source: iCartoonFace paper, section 3.2 and figure 4 (e), which speaks of "images"
    of at least 100 x 100: those are the faces, so a crop is what the box holds.
    """
    return _laplacian_variance(grey_of(crop))


def tone(crop: Pixels) -> Tone:
    """Mean and standard deviation of the grey crop.

    >>> tone(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8))
    Tone(brightness=127.5, contrast=127.5)
    """
    mean, deviation = cv2.meanStdDev(grey_of(crop))
    return Tone(float(mean[0, 0]), float(deviation[0, 0]))


def hashes(pixels: Pixels) -> Hashes:
    """Both perceptual hashes, which share most of their work.

    `phash`: a bit for each of 8 x 8 low frequencies of the DCT above their median.
    `dhash`: a bit for each of 8 x 8 cells that is darker than its right neighbour.
    The first bit, row by row, is the highest. Resized as imagehash does it (Lanczos),
    but for whole blocks of pixels that are averaged first, which is many times cheaper
    and changes half a bit of 64.
    """
    height, width = pixels.shape[:2]
    across = max(1, width // (_BLOCKS * _DCT_SIDE))
    down = max(1, height // (_BLOCKS * _DCT_SIDE))
    grey = Image.fromarray(grey_of(pixels)).reduce((across, down))
    # The last blocks may be cut; where the picture really ends lies within them.
    whole = (0.0, 0.0, width / across, height / down)
    wide = np.asarray(grey.resize((_DCT_SIDE, _DCT_SIDE), _LANCZOS, whole))
    low = _COSINES @ wide.astype(np.float32) @ _COSINES.T
    cells = np.asarray(grey.resize((_HASH_SIDE + 1, _HASH_SIDE), _LANCZOS, whole))
    return Hashes(_packed(low > np.median(low)), _packed(cells[:, 1:] > cells[:, :-1]))


def phash(pixels: Pixels) -> int:
    """The DCT hash of `hashes` alone."""
    return hashes(pixels).phash


def dhash(pixels: Pixels) -> int:
    """The gradient hash of `hashes` alone."""
    return hashes(pixels).dhash


def pixel_hash(pixels: Pixels) -> str:
    """SHA-256 of size and pixels: equal for equal pictures in any file."""
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
    # Of a signed number, bitwise_count takes the absolute value.
    differing = np.bitwise_xor(hashes, other).view(np.uint64)
    return np.bitwise_count(differing).astype(np.int64)


def is_flat(pixels: Pixels) -> bool:
    """Tell whether the picture is one colour: its hashes would say nothing."""
    # A few pixels tell nearly always; all of them are looked at where those are alike.
    return _is_one_colour(pixels[::16, ::16]) and _is_one_colour(pixels)


def _is_one_colour(pixels: Pixels) -> bool:
    # By channel, each in one row: many times faster than pixel by pixel.
    channels = np.ascontiguousarray(pixels.transpose(2, 0, 1)).reshape(3, -1)
    return bool(np.ptp(channels, axis=1).max() <= 2)


def _laplacian_variance(grey: Pixels) -> float:
    # 16 bits hold every value: 4 x 255 in both directions.
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0]) ** 2


def _shrunk(grey: Pixels, width: int, height: int) -> Pixels:
    """Mean of each cell of a grid: OpenCV's INTER_AREA, from sums, in half the time."""
    if grey.size > _SUMMED_PIXELS:
        large = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(large, np.uint8)
    sums = np.asarray(cv2.integral(grey))
    down, down_part = _grid(grey.shape[0], height)
    across, across_part = _grid(grey.shape[1], width)
    at = down[:, None] * sums.shape[1] + across
    flat, below = sums.ravel(), sums.shape[1]
    first, right = flat.take(at), flat.take(at + 1)
    under, corner = flat.take(at + below), flat.take(at + below + 1)
    upper = first + across_part * (right - first)
    lower = under + across_part * (corner - under)
    edges = upper + down_part[:, None] * (lower - upper)
    cells = np.diff(np.diff(edges, axis=0), axis=1)
    means = np.rint(cells * (height * width / grey.size))
    return np.asarray(means, np.uint8)


def _grid(pixels: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where cells begin and end: whole pixels, and the part of the next one."""
    edges = np.linspace(0.0, pixels, cells + 1)
    whole = np.minimum(edges, pixels - 1).astype(np.int64)
    return whole, edges - whole


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def _cosines() -> NDArray[np.float32]:
    """The 8 lowest rows of the 32-point DCT-II."""
    frequency = np.arange(_HASH_SIDE)[:, None]
    place = np.arange(_DCT_SIDE)[None, :]
    angles = math.pi * frequency * (2 * place + 1) / (2 * _DCT_SIDE)
    return (2 * np.cos(angles)).astype(np.float32)


_COSINES = _cosines()
