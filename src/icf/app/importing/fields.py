"""Fields of JSON objects that say whom a box shows, and where it is."""

from __future__ import annotations

import math
from collections.abc import Mapping

from icf.models.data.base import Box


def field_of(fields: Mapping[str, object], name: str) -> str:
    """Return a field as text; "" where there is none.

    Args:
        fields: an object.
        name: of the field; a dot leads into an object.

    >>> field_of({"attributes": {"character": "Luna"}}, "attributes.character")
    'Luna'
    """
    value: object = fields
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value)


def box_of(value: object) -> Box | None:
    """Return x1, y1, x2, y2 of x, y, width, height; None: it is no such list.

    >>> box_of([1, 2, 3, 4]), box_of([1, 2, 3])
    ((1.0, 2.0, 4.0, 6.0), None)
    """
    if not isinstance(value, list) or len(value) != 4:
        return None
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
        return None
    try:
        x, y, width, height = map(float, value)
    except OverflowError:
        return None
    box = (x, y, x + width, y + height)
    return box if all(map(math.isfinite, box)) else None


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """Return a picture's size where both are whole numbers of pixels."""
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return width, height
    return None
