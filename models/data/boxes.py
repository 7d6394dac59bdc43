"""Whether a labelled box can be one."""

from __future__ import annotations

import math

from icf.models.data.base import Box


def wrong_with(box: Box, size: tuple[int, int] | None = None) -> str | None:
    """Return why a box is none; None if it is one.

    A box that leaves its picture in part is one: drawn faces are cut by frames.

    Args:
        box: x1, y1, x2, y2 in pixels.
        size: width and height of the picture, where they are known.

    Example:
        >>> wrong_with((4, 4, 4, 9))
        'a box without area'
        >>> wrong_with((90, 0, 120, 9), size=(80, 80))
        'a box outside the picture'
    """
    if not all(map(math.isfinite, box)):
        return "a box that is not finite"
    x1, y1, x2, y2 = box
    if x2 <= x1 or y2 <= y1:
        return "a box without area"
    width, height = size if size is not None else (math.inf, math.inf)
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return "a box outside the picture"
    return None
