"""A box in shares of its picture, as YOLO's labels have it."""

from __future__ import annotations

from collections.abc import Sequence


def shares(box: Sequence[float], size: tuple[int, int]) -> str:
    """Return centre, width and height of a box in shares of its picture.

    Ten digits: to the pixel in any picture that fits into memory.

    Args:
        box: x1, y1, x2, y2 in pixels of the upright picture.
        size: width and height of that, in pixels.

    >>> shares((10, 20, 40, 60), (200, 100))
    '0.125 0.4 0.15 0.4'
    """
    x1, y1, x2, y2 = box
    width, height = size
    numbers = (
        *((x1 + x2) / 2 / width, (y1 + y2) / 2 / height),
        *((x2 - x1) / width, (y2 - y1) / height),
    )
    return " ".join(f"{number:.10g}" for number in numbers)
