"""Ids and flags of entries in files of JSON, as programs and data frames write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Id = int | str

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
