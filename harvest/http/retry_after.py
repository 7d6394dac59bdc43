"""Read a ``Retry-After`` header: seconds or a date."""

from __future__ import annotations

import math
from datetime import timezone
from email.utils import parsedate_to_datetime

#: Seconds of a pause whose length the host does not state.
DEFAULT_WAIT = 10.0


def wait_seconds(header: str | None, now: float, longest: float) -> float:
    """Return the seconds to wait, from 0 to ``longest``.

    Args:
        header: the header's value (RFC 9110, section 10.2.3), or None.
        now: the time, in epoch seconds.
        longest: the cap, in seconds.

    Returns:
        `DEFAULT_WAIT` under the cap if there is no readable header.

    >>> wait_seconds("120", 0.0, 600.0), wait_seconds("soon", 0.0, 600.0)
    (120.0, 10.0)
    """
    seconds = DEFAULT_WAIT if header is None else _read(header, now)
    return min(max(seconds, 0.0), longest)


def _read(header: str, now: float) -> float:
    seconds = _as_number(header)
    if seconds is None:
        seconds = _as_date(header, now)
    return DEFAULT_WAIT if seconds is None else seconds


def _as_number(header: str) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        return None
    return None if math.isnan(seconds) else seconds


def _as_date(header: str, now: float) -> float | None:
    try:
        when = parsedate_to_datetime(header)
        if when.tzinfo is None:  # "Sun Nov  6 08:49:37 1994" and "-0000" are UTC too
            when = when.replace(tzinfo=timezone.utc)
        return when.timestamp() - now
    except (ValueError, OverflowError, TypeError):
        return None
