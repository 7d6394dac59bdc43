"""Which addresses may be connected to: public ones, and hosts that the user allows.

A page can point anywhere, also at the router, the cloud's metadata service or a
database on this machine. So the address is checked after the name is resolved, and the
connection goes to exactly that address. A name that resolves differently the second
time (DNS rebinding) has no effect.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.special_ranges import Address, is_public
from icf.harvest.http.urls import DEFAULT_PORTS, normalise

#: Returns the addresses of a host at a port; raises `socket.gaierror`.
Names = Callable[[str, int], Sequence[str]]

_ENTRY = re.compile(
    r"(?P<host>\[[0-9a-f:.]+(?:%[^\]\s]+)?\]|[^][\s:/\\?#@%]+)(?::(?P<port>[0-9]{1,5}))?"
)
_LAST_PORT = 65535
#: Look-ups at a time: small name services take some more than a hundred questions, and
#: each look-up asks two.
_LOOK_UPS = 64
#: Seconds after which a look-up counts as not answered; the system's may take 30.
LOOK_UP_SECONDS = 15.0


class AllowList:
    """Hosts that the user allows to have private addresses.

    Args:
        entries: ``host`` (every port) or ``host:port``, as written in URLs.

    Raises:
        WrongUse: an entry is something else, so it would never match.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = frozenset(one for entry in entries for one in _parsed(entry))

    def also(self, entry: str) -> AllowList:
        """Return a list with one more entry."""
        longer = AllowList([entry])
        longer._entries |= self._entries
        return longer

    def has(self, host: str, port: int) -> bool:
        """Return whether ``host`` is allowed at this port."""
        name = host.strip("[]").lower()
        return (name, None) in self._entries or (name, port) in self._entries


def _parsed(entry: str) -> Iterator[tuple[str, int | None]]:
    """Yield the host of an entry as written and as URLs have it, with its port."""
    text = entry.strip().lower()
    is_bare = text.count(":") > 1 and not text.startswith("[")
    found = _ENTRY.fullmatch(f"[{text}]" if is_bare else text)
    if found is None:
        raise _no_host(entry)
    port = None if found["port"] is None else int(found["port"])
    if port is not None and not 0 < port <= _LAST_PORT:
        raise _no_host(entry)
    try:
        address = urlsplit(normalise(f"http://{found['host']}/").url)
    except Fault as fault:
        raise _no_host(entry) from fault
    yield found["host"].strip("[]"), port
    yield address.hostname or "", port


def _no_host(entry: str) -> WrongUse:
    return WrongUse(
        f"harvest.allow_hosts: {entry!r} is not a host: write a name or an address, "
        f'with a port of 1 to {_LAST_PORT} or without: "wiki.lan", "127.0.0.1:8080", '
        '"[::1]:8080"; no http://, path, range or "*"'
    )


class GuardedResolver(AbstractResolver):
    """Resolves names without forbidden addresses.

    Args:
        names: the resolver that does the look-up.
        allow: hosts whose addresses are not checked.
    """

    def __init__(self, names: AbstractResolver, allow: AllowList) -> None:
        self._names = names
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host`` that may be connected to.

        Raises:
            Fault: ``forbidden_address`` when there is none.
        """
        found = await self._names.resolve(host, port, family)
        addresses = [one["host"] for one in found]
        kept = set(check_addresses(host, port, addresses, self._allow))
        return [one for one in found if one["host"] in kept]

    async def close(self) -> None:
        """Close the resolver that does the look-up."""
        await self._names.close()


class SystemResolver(AbstractResolver):
    """The system's name service, asked in threads of its own.

    Names that nobody answers for take long. In the threads that all share, pictures
    could not be stored meanwhile.
    """

    def __init__(self) -> None:
        self._may_ask = asyncio.Semaphore(_LOOK_UPS)
        # One that was given up keeps its thread for as long again.
        self._threads = ThreadPoolExecutor(2 * _LOOK_UPS, "names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises:
            socket.gaierror: it has none, or no answer came in `LOOK_UP_SECONDS`.
        """
        ask = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=_HAVE_ADDRESS,
        )
        loop = asyncio.get_running_loop()
        async with self._may_ask:
            answer = loop.run_in_executor(self._threads, ask)
            try:
                found = await asyncio.wait_for(answer, LOOK_UP_SECONDS)
            except asyncio.TimeoutError as error:
                raise socket.gaierror(socket.EAI_AGAIN, "no answer in time") from error
        return [
            ResolveResult(
                hostname=host,
                host=_with_scope(address),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Ask nothing more; look-ups under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


#: As aiohttp's resolver asks: macOS refuses the flag's other bits.
_HAVE_ADDRESS = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", ~0)


def _with_scope(address: tuple[Any, ...]) -> str:
    """Return a socket's address as text; one within a network names its interface."""
    scope = address[3] if len(address) > 3 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])


def system_names(host: str, port: int) -> list[str]:
    """Ask the system's name service.

    >>> system_names("127.0.0.1", 80)
    ['127.0.0.1']
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def look_up(host: str, port: int, names: Names, allow: AllowList) -> list[str]:
    """Return the addresses of ``host`` that may be connected to; may take seconds.

    Raises:
        Fault: ``forbidden_address``, or the name service does not answer.
        OSError: the host has no address.
    """
    try:
        found = names(host, port)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise names_down(host) from error
        raise
    return check_addresses(host, port, found, allow)


def names_down(asked: str) -> Fault:
    """Return the fault of a name service that does not answer."""
    return Fault(
        FetchStatus.UNREACHABLE,
        f"{asked}: the name service does not answer",
        again=True,
        names_down=True,
    )


def check_addresses(
    host: str, port: int, found: Sequence[str], allow: AllowList
) -> list[str]:
    """Return the addresses of ``host`` that may be connected to.

    Raises:
        Fault: ``forbidden_address`` when there is none.
    """
    if allow.has(host, port):
        return list(found)
    public = [one for one in found if is_public(_address(one))]
    if not public:
        raise _forbidden(host, port, ", ".join(found))
    return public


def check_literal(url: str, allow: AllowList) -> None:
    """Check a URL whose host is an address, which is not resolved.

    Raises:
        Fault: ``forbidden_address``.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    if not is_address(host):
        return  # the resolver checks its addresses
    address = _address(host)
    if not is_public(address) and not allow.has(host, port):
        raise _forbidden(host, port, str(address))


def is_address(host: str) -> bool:
    """Whether a host is an address and no name.

    >>> is_address("::1"), is_address("a.example")
    (True, False)
    """
    try:
        _address(host)
    except ValueError:
        return False
    return True


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _forbidden(host: str, port: int, found: str) -> Fault:
    entry = f"[{host}]" if ":" in host else host
    return Fault(
        FetchStatus.FORBIDDEN_ADDRESS,
        f"{host} is at {found}, which is not a public address; if it is your own, "
        f'add "{entry}:{port}" to allow_hosts in the [harvest] part of icf.toml',
    )
