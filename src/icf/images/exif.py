"""EXIF orientation: the only tag that changes pixels."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

#: What an EXIF block begins with inside a JPEG.
PREFIX = b"Exif\0\0"

#: Orientations in which width is height.
SWAPS_SIDES = (5, 6, 7, 8)

_ORIENTATION = 0x0112
_BYTE_ORDERS = {b"II": "<", b"MM": ">"}


def orientation(exif: bytes) -> int:
    """Read the orientation, 1 to 8, of an EXIF block (Exif 2.3, table 6).

    Args:
        exif: a TIFF header and its first directory, with or without `PREFIX`.

    Returns:
        1 (upright) if the block has none or is damaged: that is no reason to drop
        the picture.

    >>> orientation(b"no EXIF at all")
    1
    """
    tiff = exif.removeprefix(PREFIX)
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for entry in range(entries):
            place = directory + 2 + 12 * entry
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def upright(pixels: NDArray[np.uint8], turned: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation.

    Args:
        pixels: as stored, of shape (h, w, 3).
        turned: 1 to 8.

    Returns:
        Shape (h, w, 3), or (w, h, 3) for 5 to 8; contiguous.
    """
    if turned in SWAPS_SIDES:
        pixels = pixels.transpose(1, 0, 2)
    if turned in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turned in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
