"""Is it one name that cannot be found, or does the name service not answer at all?"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

#: Seconds for which one answer shows that the name service is up.
_FRESH = 60.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
#: Seconds of silence after which a run gives up.
PATIENCE = 600.0


class DnsHealth:
    """What a worker knows of the name service; times are seconds of its clock."""

    def __init__(self) -> None:
        self._answered_at = -_FRESH
        self._silent_since: float | None = None
        self._pause = _FIRST_PAUSE
        self.paused_until = 0.0

    def answered(self, host: str, now: float) -> None:
        """Note that a host was reached; an address needs no name service."""
        if host and not _is_address(host):
            self._answered_at = now
            self._silent_since = None
            self._pause = _FIRST_PAUSE

    def is_up(self, now: float) -> bool:
        """Tell whether it answered lately, so that a silence is about one name."""
        return now - self._answered_at < _FRESH

    def failed(self, now: float) -> bool:
        """Note a silence; return True where a new pause begins."""
        if self._silent_since is None:
            self._silent_since = now
        if now < self.paused_until:
            return False
        self.paused_until = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True

    def is_hopeless(self, now: float) -> bool:
        """Tell whether it has been silent for longer than `PATIENCE`."""
        return self._silent_since is not None and now - self._silent_since > PATIENCE


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True
