"""Read a ``Retry-After`` header: seconds, or a date."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime

#: No site is left alone for longer than this on its own word, in seconds.
LONGEST = 3600.0


def wait_seconds(header: str | None, now: float) -> float | None:
    """Return the seconds to wait, from 0 to `LONGEST`.

    Args:
        header: the header's value (RFC 9110, section 10.2.3), or None.
        now: the time, in epoch seconds.

    Returns:
        None when there is no header, or none that can be read.

    >>> wait_seconds("120", 0.0), wait_seconds("Thu, 01 Jan 1970 00:00:30 GMT", 10.0)
    (120.0, 20.0)
    """
    if header is None:
        return None
    seconds = _as_number(header)
    if seconds is None:
        seconds = _as_date(header, now)
    if seconds is None:
        return None
    return min(max(seconds, 0.0), LONGEST)


def _as_number(header: str) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        return None
    return None if math.isnan(seconds) else seconds


def _as_date(header: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() - now
    except (ValueError, OverflowError, TypeError):
        return None
