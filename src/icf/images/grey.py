"""The grey values of a picture or crop, shared by several measures."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Number of pixels up to which the sum of the grey values fits into 31 bits.
_SUMMED_PIXELS = (1 << 31) // 255


@dataclass(frozen=True, eq=False)
class Grey:
    """A grey picture.

    Attributes:
        pixels: uint8 of shape (h, w).
    """

    pixels: NDArray[np.uint8]

    @classmethod
    def of(cls, picture: NDArray[np.uint8] | Grey) -> Grey:
        """Convert RGB to grey with the weights of ITU-R BT.601; grey is returned as is.

        Args:
            picture: RGB, uint8 of shape (h, w, 3), or grey.
        """
        if isinstance(picture, Grey):
            return picture
        return cls(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """Compute the mean of each cell of a grid, rounded: uint8 of shape (h, w).

        A pixel on the border of a cell counts by its area in the cell, like OpenCV's
        INTER_AREA; computed from sums that are cached for all sizes.
        """
        sums = self._sums
        row = sums.shape[1]
        down, down_part = _grid(sums.shape[0] - 1, height)
        across, across_part = _grid(row - 1, width)
        at = down[:, None] * row + across
        flat = sums.ravel()
        first, under = flat.take(at), flat.take(at + row)
        upper = first + across_part * (flat.take(at + 1) - first)
        edges = under + across_part * (flat.take(at + (row + 1)) - under)
        edges -= upper
        edges *= down_part[:, None]
        edges += upper
        strips = edges[1:] - edges[:-1]
        cells = strips[:, 1:] - strips[:, :-1]
        cells *= height * width / ((sums.shape[0] - 1) * (row - 1))
        return np.asarray(np.rint(cells), np.uint8)

    @functools.cached_property
    def _sums(self) -> NDArray[np.int32]:
        """Integral image: sums above and left of each corner, shape (h + 1, w + 1)."""
        grey = self.pixels
        block = math.isqrt(grey.size // _SUMMED_PIXELS) + 1
        if block > 1:
            height, width = (side // block for side in grey.shape)
            whole = grey[: height * block, : width * block]
            grey = np.asarray(
                cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA),
                np.uint8,
            )
        return np.asarray(cv2.integral(grey), np.int32)


@functools.lru_cache(maxsize=4096)
def _grid(pixels: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the edges of cells: whole pixels, and the fraction of the next one."""
    edges = np.linspace(0.0, pixels, cells + 1)
    whole = np.minimum(edges, pixels - 1).astype(np.int64)
    return whole, edges - whole
