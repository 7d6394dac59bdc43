"""Ids and flags of entries in files of JSON, as programs and data frames write them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from typing import Any

Id = int | str

#: How packed files begin.
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"7z\xbc\xaf")
#: A number as it is written.
_DIGITS = re.compile("0|[1-9][0-9]{0,18}")

#: Flags that are not set, as texts.
_NOT_SET = ("", "0", "0.0", "false", "none", "null", "nan")


def id_of(value: object) -> Id | None:
    """Return an id that things can be found by; None: it is none.

    A data frame writes whole numbers with decimals where some are missing.

    >>> id_of(4), id_of(4.0), id_of("4"), id_of(4.5), id_of(""), id_of(True)
    (4, 4, '4', None, None, None)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return None if value == "" else value


def key_in(table: Container[Id | None], key: Id | None) -> Id | None:
    """Return how a table has an id; a number and its digits as text are the same.

    >>> key_in({4: "a"}, "4"), key_in({"4": "a"}, 4), key_in({4: "a"}, "04")
    (4, '4', None)
    """
    if key is None or key in table:
        return key
    other: Id | None = str(key)
    if isinstance(key, str):
        other = int(key) if _DIGITS.fullmatch(key) else None
    return other if other is not None and other in table else None


def loads(data: bytes, object_hook: Callable[[dict[str, Any]], object]) -> object:
    """Parse JSON in any encoding of Unicode.

    Raises:
        ValueError: it is none, or packed.
        RecursionError: it is nested too deeply.
    """
    if data.startswith(_PACKED):
        raise ValueError("it is packed (gzip, zip or 7z); unpack it first")
    return json.loads(data, object_hook=object_hook)


def is_set(flag: object) -> bool:
    """Return whether a flag is set.

    >>> is_set(1), is_set("1.0"), is_set("0"), is_set(float("nan")), is_set(None)
    (True, True, False, False, False)
    """
    return str(flag).strip().casefold() not in _NOT_SET


def turned_by(entry: Mapping[str, Any]) -> float:
    """Return by how many degrees the box of an annotation is turned, from 0 to 360.

    CVAT and Datumaro write it beside a box that is not turned.

    >>> turned_by({"bbox": [1, 2, 3, 4], "attributes": {"rotation": 390.0}})
    30.0
    """
    attributes = entry.get("attributes")
    turned = attributes.get("rotation") if isinstance(attributes, dict) else None
    return float(turned % 360) if isinstance(turned, int | float) else 0.0
