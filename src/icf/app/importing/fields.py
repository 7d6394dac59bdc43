"""Fields of JSON objects that say whom a box shows, and how large a picture is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from icf.annotate.answers import is_storable
from icf.names import LONGEST_NAME, normal_name

#: A number of pixels, as spreadsheets and data frames write whole numbers too.
_PIXELS = re.compile(r"([0-9]{1,9})(?:\.0*)?")
_SHOWN = 80


def text_of(value: object) -> str:
    """Return a value of JSON as text; "" where there is none.

    Raises:
        ValueError: it is neither a text nor a whole number, or cannot be stored.

    >>> text_of("Luna"), text_of(7), text_of(7.0), text_of(None)
    ('Luna', '7', '7', '')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) or type(value) is int:
        text = str(value)
        if not is_storable(text):
            raise ValueError(f"a zero byte or no Unicode in {_shown(value)}")
        return text
    # A data frame has "not a number" where there is nothing.
    if not value or (isinstance(value, float) and math.isnan(value)):
        return ""
    raise ValueError(f"neither text nor a whole number: {_shown(value)}")


def name_of(value: object) -> str:
    """Return a name in its normal form; "" where there is none.

    Raises:
        ValueError: it is none that can be stored.
    """
    name = normal_name(text_of(value))
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name with over {LONGEST_NAME} characters: {_shown(name)}")
    return name


def field_of(fields: Mapping[str, object], name: str) -> str:
    """Return a field as text; "" where there is none.

    Args:
        fields: an object.
        name: of the field; a dot leads into an object.

    Raises:
        ValueError: it is neither a text nor a whole number, or cannot be stored.

    >>> field_of({"attributes": {"character": "Luna"}}, "attributes.character")
    'Luna'
    """
    value: object = fields
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    try:
        return text_of(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """Return a picture's size; None where there is none, or a side is 0.

    Raises:
        ValueError: a side is no whole number of pixels.

    >>> size_of("800", 600.0), size_of(None, 600)
    ((800, 600), None)
    """
    sides = _pixels("width", width), _pixels("height", height)
    return sides if all(sides) else None


def _pixels(called: str, value: object) -> int:
    found = _PIXELS.fullmatch(field_of({called: value}, called).strip() or "0")
    if found is None:
        raise ValueError(f"{called}: no whole number of pixels: {_shown(value)}")
    return int(found[1])


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
