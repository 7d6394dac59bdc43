"""What an HTTP status means for a URL (RFC 9110, section 15)."""

from __future__ import annotations

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


def fate_of_status(status: int) -> FetchStatus:
    """Return the fate of a URL for a status that is not 200.

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
    """Return the fault of a response whose status is not 200.

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
        again=is_temporary(status),
        host=host_of(url),
        wait=wait,
    )
