"""What is measured on pixels: sharpness, perceptual hashes, the hash of the pixels.

All take an upright RGB picture or crop, uint8 of shape (h, w, 3).
"""

from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

#: Side, in pixels, that a face is reduced to before its sharpness is measured, because
#: Laplacian variance depends on scale. 100 is the smallest face the paper keeps
#: (section 3.2).
SHARPNESS_SIDE = 100

_HASH_SIDE = 8
_DCT_SIDE = 32


def sharpness(crop: Pixels) -> float:
    """Variance of the Laplacian of the grey crop, its longer side reduced to 100.

    Smaller crops are never enlarged, which would only make them look blurred. Source:
    iCartoonFace paper, section 3.2, which drops pictures under 100.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = SHARPNESS_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def phash(pixels: Pixels) -> int:
    """The 64-bit DCT hash: a bit for each of 8 x 8 low frequencies above the median.

    Signed, as the catalogue stores it; the first bit, row by row, is the highest.
    """
    grey = _reduced(pixels, _DCT_SIDE, _DCT_SIDE).astype(np.float32)
    low = _COSINES @ grey @ _COSINES.T
    return _packed(low > np.median(low))


def dhash(pixels: Pixels) -> int:
    """The 64-bit gradient hash: is each of 8 x 9 cells darker than its right neighbour?

    Signed, as the catalogue stores it; the first bit, row by row, is the highest.
    """
    grey = _reduced(pixels, _HASH_SIDE + 1, _HASH_SIDE)
    return _packed(grey[:, 1:] > grey[:, :-1])


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
    low, high = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    return bool((high - low).max() <= 2)


def _reduced(pixels: Pixels, width: int, height: int) -> Pixels:
    """Grey, shrunk by area.

    A large picture is first thinned by whole blocks, which is many times cheaper.
    """
    block = max(1, min(pixels.shape[1] // (4 * width), pixels.shape[0] // (4 * height)))
    if block > 1:
        size = (pixels.shape[1] // block, pixels.shape[0] // block)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    reduced = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def _cosines() -> NDArray[np.float32]:
    """The 8 lowest rows of the 32-point DCT-II."""
    frequency = np.arange(_HASH_SIDE)[:, None]
    place = np.arange(_DCT_SIDE)[None, :]
    angles = math.pi * frequency * (2 * place + 1) / (2 * _DCT_SIDE)
    return (2 * np.cos(angles)).astype(np.float32)


_COSINES = _cosines()
