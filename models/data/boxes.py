"""Whether a labelled box can be one."""

from __future__ import annotations

import math

from icf.models.data.base import Box

#: Of a box that no face can have.
IN_SHARES = "a box within the first pixel (in shares of the picture?)"


def wrong_with(box: Box, size: tuple[int, int] | None = None) -> str | None:
    """Return why a box is none; None if it is one.

    A box that leaves its picture in part is one: drawn faces are cut by frames. One
    that ends in the first pixel is none: some programs write shares of the picture.

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
    if x2 <= 1 and y2 <= 1 and x1 >= 0 and y1 >= 0:
        return IN_SHARES
    width, height = size if size is not None else (math.inf, math.inf)
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return "a box outside the picture"
    return None


def box_of_sides(value: object) -> Box | None:
    """Return x1, y1, x2, y2 of a list of x, y, width, height, as JSON has it.

    Returns:
        None: it is no list of four finite numbers.

    Example:
        >>> box_of_sides([1, 2, 3, 4]), box_of_sides([1, 2, 3])
        ((1.0, 2.0, 4.0, 6.0), None)
    """
    if not isinstance(value, list) or len(value) != 4:
        return None
    if any(type(each) not in (int, float) for each in value):
        return None
    try:
        x, y, width, height = map(float, value)
    except OverflowError:
        return None
    box = (x, y, x + width, y + height)
    return box if all(map(math.isfinite, box)) else None
