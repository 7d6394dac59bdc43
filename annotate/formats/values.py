"""Times and seconds as answer files have them."""

from __future__ import annotations

import datetime
import math

from icf.spreadsheet import number_of


def moment_of(written: object) -> float | None:
    """The UTC epoch seconds of a time in ISO 8601 with its zone; None for all else.

    >>> moment_of("2021-03-09T22:16:08.500000Z")
    1615328168.5
    >>> moment_of("2021-03-09T22:16:08") is None
    True
    """
    if not isinstance(written, str):
        return None
    try:
        when = datetime.datetime.fromisoformat(written.strip().replace("Z", "+00:00"))
        return when.timestamp() if when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def iso_of(moment: float) -> str:
    """UTC epoch seconds as `moment_of` reads them, to the microsecond.

    >>> iso_of(1615328168.5)
    '2021-03-09T22:16:08.500000Z'
    """
    when = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(written: object) -> float | None:
    """A number of seconds, not below zero; None for all else.

    >>> seconds_of("3.25"), seconds_of(-1), seconds_of("soon")
    (3.25, None, None)
    """
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    try:
        seconds = number_of(written) if isinstance(written, str) else float(written)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None
