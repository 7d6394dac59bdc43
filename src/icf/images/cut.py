"""Cut a face out of its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cut(
    pixels: NDArray[np.uint8],
    box: tuple[float, float, float, float],
    rate: float = 0.0,
) -> NDArray[np.uint8]:
    """Cut ``box`` out of an image, as far as it lies inside.

    Args:
        pixels: of shape (h, w, 3).
        box: x1, y1, x2, y2 in pixels.
        rate: how much wider and higher than the box; 1.0 doubles both.

    >>> cut(np.zeros((50, 50, 3), np.uint8), (10, 10, 20, 30), rate=1.0).shape
    (40, 20, 3)
    """
    height, width = pixels.shape[:2]
    more_x, more_y = (box[2] - box[0]) * rate / 2, (box[3] - box[1]) * rate / 2
    x1 = min(max(round(box[0] - more_x), 0), width - 1)
    y1 = min(max(round(box[1] - more_y), 0), height - 1)
    x2 = min(max(round(box[2] + more_x), x1 + 1), width)
    y2 = min(max(round(box[3] + more_y), y1 + 1), height)
    return np.ascontiguousarray(pixels[y1:y2, x1:x2])
