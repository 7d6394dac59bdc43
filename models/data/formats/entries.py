"""Ids and flags of entries in files of JSON, as programs and data frames write them."""

from __future__ import annotations

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
