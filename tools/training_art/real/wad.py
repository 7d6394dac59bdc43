"""Pictures in the WAD files of Doom's engine, which Freedoom's art comes in.

Source: the Unofficial Doom Specs 1.666, chapters 2 (WAD files) and 5 (graphics).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

#: Ends a column of a picture.
_LAST = 255


def lumps(data: bytes) -> Mapping[str, bytes]:
    """Return the contents of a WAD file by name; of equal names the last one counts.

    Raises:
        ValueError: it is no WAD file.
    """
    if data[:4] not in (b"IWAD", b"PWAD"):
        raise ValueError("not a WAD file")
    count, directory = struct.unpack_from("<ii", data, 4)
    found = {}
    for number in range(count):
        at, size, name = struct.unpack_from("<ii8s", data, directory + 16 * number)
        found[name.rstrip(b"\0").decode("ascii", "replace")] = data[at : at + size]
    return found


def palette(lump: bytes) -> Pixels:
    """Return the first palette of the lump ``PLAYPAL``: 256 x 3, RGB."""
    return np.frombuffer(lump, np.uint8, 768).reshape(256, 3)


def picture(lump: bytes, colours: Pixels) -> Pixels:
    """Draw a picture.

    Args:
        lump: the picture's columns, each of posts of opaque pixels.
        colours: the palette, 256 x 3.

    Returns:
        Shape (h, w, 4), RGBA.
    """
    width, height = struct.unpack_from("<HH", lump)
    drawn = np.zeros((height, width, 4), np.uint8)
    for column, start in enumerate(struct.unpack_from(f"<{width}I", lump, 8)):
        for top, indices in _posts(lump, start):
            shown = indices[: max(0, height - top)]
            drawn[top : top + len(shown), column, :3] = colours[shown]
            drawn[top : top + len(shown), column, 3] = 255
    return drawn


def _posts(lump: bytes, at: int) -> Iterator[tuple[int, Pixels]]:
    """Yield the first row of each post of a column, and its colours' numbers."""
    while lump[at] != _LAST:
        top, count = lump[at], lump[at + 1]
        yield top, np.frombuffer(lump, np.uint8, count, at + 3)
        at += count + 4
