"""Whole pictures, made smaller, with boxes drawn on them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]

#: A light line within a dark one is seen on any picture.
_DARK, _LIGHT = (20, 20, 20), (255, 196, 0)


def with_boxes(pixels: Pixels, boxes: Sequence[Box], side: int) -> Pixels:
    """Scale a picture down and draw boxes on it.

    Args:
        pixels: RGB, uint8, shape (height, width, 3).
        boxes: x1, y1, x2, y2 in pixels of the picture as it is given.
        side: maximum side of what is returned; smaller pictures keep their size.

    Returns:
        New pixels, of the same kind.
    """
    height, width = pixels.shape[:2]
    rate = min(1.0, side / max(height, width))
    size = max(1, round(width * rate)), max(1, round(height * rate))
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    thick = max(2, round(max(size) / 300))
    for box in boxes:
        x1, y1, x2, y2 = (round(each * rate) for each in box)
        for colour, line in ((_DARK, thick * 2), (_LIGHT, thick)):
            cv2.rectangle(scaled, (x1, y1), (x2, y2), colour, line)
    return np.asarray(scaled, np.uint8)
