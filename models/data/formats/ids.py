"""Ids in files of JSON, by which one entry names another."""

from __future__ import annotations

Id = int | str


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
