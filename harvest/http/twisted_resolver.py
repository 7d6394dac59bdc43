"""Twisted's resolver: it returns only checked addresses.

Twisted calls it for every connection, also for hosts that are addresses. It resolves
nothing itself: a host that `Guard` has not resolved and checked has no address, so
there can be no connection to it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList, Names, look_up, system_names

_FRESH = 60.0


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: the answer is immediate."""


@implementer(IHostnameResolver)
class CheckedNames:
    """The checked addresses, by host and port.

    Args:
        allow: hosts whose addresses are not checked.
        names: does the look-up.
    """

    def __init__(self, allow: AllowList, names: Names = system_names) -> None:
        self._allow = allow
        self._names = names
        self._checked: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def is_fresh(self, host: str, port: int) -> bool:
        """Return whether a host was looked up recently."""
        at, _ = self._checked.get((host, port), (-_FRESH, []))
        return time.monotonic() - at < _FRESH

    def check(self, host: str, port: int) -> None:
        """Look up a host and check its addresses; may take seconds.

        Raises:
            Fault: ``forbidden_address``, or ``unreachable`` without an address.
        """
        try:
            kept = look_up(host, port, self._names, self._allow)
        except OSError as error:
            raise Fault(FetchStatus.UNREACHABLE, f"{host}: {error}") from error
        self._checked[host, port] = (time.monotonic(), kept)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[Any]] | None = None,
        transportSemantics: str = "TCP",
    ) -> _Resolution:
        """Return the checked addresses of a host, if there are any."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        _, addresses = self._checked.get((hostName, portNumber), (0.0, []))
        for address in addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution
