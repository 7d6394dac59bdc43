"""Times and seconds as answer files have them."""

from __future__ import annotations

import datetime
import math
import time

from icf.spreadsheet import number_of

#: The first moment that a calendar has, and by how much a clock may be ahead.
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc).timestamp()
_AHEAD = 86_400.0
#: Why a row is refused whose moment is not credible.
NOT_CREDIBLE = (
    "it was answered over a day from now, or in no year that a calendar has; a number "
    "must be of seconds (UTC, since 1970), not of milliseconds"
)


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


def is_credible(moment: float) -> bool:
    """Whether somebody may have answered then: `iso_of` can write it, and it is past.

    >>> is_credible(1615328168.5), is_credible(1615328168500.0)
    (True, False)
    """
    return _FIRST <= moment <= time.time() + _AHEAD


def seconds_of(written: object) -> float | None:
    """A number of seconds, not below zero; None for all else.

    A spreadsheet may have written a decimal comma.

    >>> seconds_of("3,25"), seconds_of(-1), seconds_of("soon")
    (3.25, None, None)
    """
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    try:
        seconds = (
            number_of(written, decimal_comma=True)
            if isinstance(written, str)
            else float(written)
        )
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None
