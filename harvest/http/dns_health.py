"""Wait for a name service (DNS) that does not answer; give up after a while."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from icf.errors import BrokenMachine
from icf.harvest.fault import Fault

T = TypeVar("T")
log = logging.getLogger(__name__)

#: Seconds after an answer during which the name service counts as up.
_FRESH = 60.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
#: Ends of names that are looked up in the local network, or on this machine.
_ELSEWHERE = (".local", ".localhost")
#: Seconds without an answer after which a run ends.
PATIENCE = 600.0


class DnsHealth:
    """The state of the name service; times are seconds of the worker's clock."""

    def __init__(self) -> None:
        self._answered_at = -_FRESH
        self._silent_since: float | None = None
        self._pause = _FIRST_PAUSE
        self.paused_until = 0.0

    def answered(self, host: str, now: float) -> None:
        """Record that a host was reached; an IP address does not count."""
        if host and not _is_address(host):
            self._answered_at = now
            self._silent_since = None
            self._pause = _FIRST_PAUSE

    def is_up(self, now: float) -> bool:
        """Return whether it answered lately; then a failure is about one name."""
        return now - self._answered_at < _FRESH

    def failed(self, now: float) -> bool:
        """Record a failure; return True if a new pause begins."""
        if self._silent_since is None:
            self._silent_since = now
        if now < self.paused_until:
            return False
        self.paused_until = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True

    def is_down(self, now: float) -> bool:
        """Return whether it has not answered for longer than `PATIENCE`."""
        return self._silent_since is not None and now - self._silent_since > PATIENCE


async def wait_for_dns(ask: Callable[[], Awaitable[T]]) -> T:
    """Call until the name service answers, with growing pauses.

    Args:
        ask: makes the call.

    Raises:
        Fault: what the call raises; with ``names_down`` only after `PATIENCE` seconds.
    """
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            return await ask()
        except Fault as fault:
            if not fault.names_down or waited >= PATIENCE:
                raise
            log.warning("%s; trying again in %.0f s", fault, pause)
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)


def dns_is_down(message: object) -> BrokenMachine:
    """Return the error that ends a run without a name service."""
    return BrokenMachine(
        f"{message}\nNothing is marked as failed; when the network is back, run the "
        "same command again."
    )


def is_public_name(name: str) -> bool:
    """Whether a host's name is one that a name service is asked about.

    >>> [is_public_name(name) for name in ("a.org", "nas", "nas.local", "10.0.0.1")]
    [True, False, False, False]
    """
    return "." in name and not name.endswith(_ELSEWHERE) and not _is_address(name)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True
