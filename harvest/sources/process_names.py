"""Check every address that a name resolves to, in all of this process.

For libraries that open connections by themselves (gallery-dl, yt-dlp), in a process of
their own. Names and literal addresses alike go through `socket.getaddrinfo`, also at
redirects, and the connection is made to what it returns.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList, check_addresses

_look_up = socket.getaddrinfo


def guard_names(
    allow: AllowList, refused: Callable[[Fault], Exception] = lambda fault: fault
) -> None:
    """Keep this process from connecting to an address that is not public.

    Args:
        allow: the user's own hosts, which may have private addresses.
        refused: returns what is raised instead of the fault, for a library that
            expects another error.
    """

    def guarded(host: Any, port: Any, *more: Any, **named: Any) -> list[Any]:
        found = _look_up(host, port, *more, **named)
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        number = int(port) if str(port or "").isdigit() else 0
        addresses = [str(one[4][0]) for one in found]
        try:
            public = set(check_addresses(name, number, addresses, allow))
        except Fault as fault:
            raise refused(fault) from fault
        return [one for one in found if str(one[4][0]) in public]

    socket.getaddrinfo = guarded
