"""What an HTTP status means for a URL (RFC 9110, section 15)."""

from __future__ import annotations

import re
import time

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.retry_after import wait_seconds
from icf.harvest.http.urls import host_of

#: The host asks for fewer requests.
SLOW_DOWN = frozenset({429, 503})

_FATES = {
    401: FetchStatus.REFUSED,
    403: FetchStatus.REFUSED,
    404: FetchStatus.NOT_FOUND,
    410: FetchStatus.GONE,
}
_TEMPORARY = frozenset({408, 425, 429})
_ACCEPTED, _PARTIAL = 202, 206
#: Of those that mean success: their body is something else than what was asked for.
_OTHER_CONTENT = frozenset({201, _ACCEPTED, 204, 205, 207, 208})
_FROM_THE_FIRST = re.compile(r"bytes +0-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)


def is_whole(status: int, content_range: str | None = None) -> bool:
    """Return whether a response has all of what was asked for, as a 200 has.

    A transforming proxy answers 203. A 2xx that RFC 9110 does not know, such as 226,
    counts as 200 (section 15).

    Args:
        status: of the response.
        content_range: its ``Content-Range``, or None.

    >>> [is_whole(status) for status in (200, 203, 202, 206, 404)]
    [True, True, False, False, False]
    >>> is_whole(206, "bytes 0-99/100"), is_whole(206, "bytes 0-99/200")
    (True, False)
    """
    if status == _PARTIAL:
        return range_length(status, content_range) is not None
    return 200 <= status < 300 and status not in _OTHER_CONTENT


def range_length(status: int, content_range: str | None) -> int | None:
    """Return the bytes of a 206 whose range is all there is; None for others.

    Args:
        status: of the response.
        content_range: its ``Content-Range``, or None.
    """
    found = _FROM_THE_FIRST.fullmatch((content_range or "").strip())
    if status != _PARTIAL or found is None:
        return None
    last, length = map(int, found.groups())
    return length if last + 1 == length else None


def fate_of_status(status: int) -> FetchStatus:
    """Return the fate of a URL for a status that brings no content.

    >>> fate_of_status(404), fate_of_status(500)
    (<FetchStatus.NOT_FOUND: 'not_found'>, <FetchStatus.HTTP_ERROR: 'http_error'>)
    """
    return _FATES.get(status, FetchStatus.HTTP_ERROR)


def is_temporary(status: int) -> bool:
    """Return whether another attempt may succeed.

    >>> [is_temporary(status) for status in (404, 408, 502)]
    [False, True, True]
    """
    return status in _TEMPORARY or status >= 500


def fault_of_status(
    url: str, status: int, reason: str, retry_after: str | None, longest_wait: float
) -> Fault:
    """Return the fault of a response that is not `is_whole`.

    Args:
        url: that was requested.
        status: of the response.
        reason: the text next to the status.
        retry_after: the ``Retry-After`` header, or None.
        longest_wait: maximum seconds of a pause that a host may ask for.
    """
    wait = None
    if status in SLOW_DOWN:
        wait = wait_seconds(retry_after, time.time(), longest_wait)
    return Fault(
        fate_of_status(status),
        f"{url}: HTTP {status} {reason}".rstrip(),
        http_status=status,
        again=is_temporary(status) or status == _ACCEPTED,  # it is being made
        host=host_of(url),
        wait=wait,
    )
