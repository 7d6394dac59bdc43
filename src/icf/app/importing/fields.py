"""Fields of JSON objects that say whom a box shows, and how large a picture is."""

from __future__ import annotations

from collections.abc import Mapping


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


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """Return a picture's size where both are whole numbers of pixels."""
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return width, height
    return None
