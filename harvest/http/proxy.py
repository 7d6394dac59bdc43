"""The proxy through which requests leave a closed network, where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList, is_address
from icf.harvest.http.dns_health import is_public_name
from icf.harvest.http.urls import DEFAULT_PORTS

#: A proxy's status without a login, or with a wrong one.
_WANTS_LOGIN = 407


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy.

    Args:
        url: ``http://HOST:PORT``, with ``USER:PASSWORD@`` before the host or without;
            empty: there is none.
        own: the user's own hosts, which are asked without it.
    """

    url: str
    own: AllowList

    @property
    def place(self) -> str:
        """Its host and port, for messages."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def reachable(self) -> AllowList:
        """The hosts that may have private addresses: one's own, and the proxy."""
        return self.own.also(self.place) if self.url else self.own

    def of(self, url: str) -> str | None:
        """Return the proxy of a request; None if it goes straight to its host.

        The proxy looks up the host's name, so the address cannot be checked here. Names
        of a local network are not asked for.

        Raises:
            Fault: ``forbidden_address``.
        """
        if not self.url:
            return None
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        if self.own.has(host, port):
            return None
        if not is_address(host) and not is_public_name(host):
            raise Fault(
                FetchStatus.FORBIDDEN_ADDRESS,
                f"{host} is a name of a local network; if it is your own, add "
                f'"{host}:{port}" to allow_hosts in the [harvest] part of icf.toml',
            )
        return self.url

    def check(self, url: str, status: int, words: str) -> None:
        """Check that an answer is not the proxy's own, which wants a login.

        Raises:
            Fault: it is; ``url`` is not at fault.
        """
        if status == _WANTS_LOGIN and self.of(url) is not None:
            raise self.refusal(url, status, words)

    def refusal(self, url: str, status: int, words: str) -> Fault:
        """Return the fault of a proxy that does not bring ``url``, and says so."""
        if status == _WANTS_LOGIN:
            return self.down(url, f"HTTP {status} {words}")
        text = f"{url}: the proxy says HTTP {status} {words}"
        return Fault(FetchStatus.UNREACHABLE, text, again=status >= 500)

    def down(self, url: str, why: object) -> Fault:
        """Return the fault of a proxy that cannot be used; ``url`` is not at fault."""
        return Fault(
            FetchStatus.UNREACHABLE,
            f"{url}: the proxy {self.place} (harvest.proxy): {why}",
            again=True,
            names_down=True,
            proxy_down=True,
        )
