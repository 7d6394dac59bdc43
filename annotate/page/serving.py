"""Under which names and addresses the page is served, and what follows from them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from icf.errors import WrongUse

#: Names of this machine that nobody else can give an address to.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Serving:
    """How browsers reach the page.

    Attributes:
        host: the address that the server listens on.
        names: names that a request's Host may have besides the loopback ones, in
            lower case and without a port.
        public_url: the address behind a proxy, such as ``https://faces.example``,
            without a slash at its end; None: browsers come straight here.
    """

    host: str = "127.0.0.1"
    names: frozenset[str] = frozenset()
    public_url: str | None = None

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it.

        >>> Serving("::1").local, Serving("0.0.0.0").local
        (True, False)
        """
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS, so that cookies may be of that alone."""
        return (self.public_url or "").startswith("https:")

    def takes_host(self, header: str) -> bool:
        """Whether a request may have this Host.

        Else somebody's own name could be made to lead here, and his page could read
        this one (DNS rebinding). Beyond loopback any address in numbers is taken too:
        a number leads nowhere else.

        >>> Serving().takes_host("127.0.0.1:8765"), Serving().takes_host("evil.example")
        (True, False)
        >>> Serving("0.0.0.0").takes_host("192.168.1.7:8765")
        True
        """
        name = _name_of(header)
        if name in _LOOPBACK or name in self.names or name == self.host.lower():
            return True
        return not self.local and _is_address(name)

    def address_for_others(self, host_header: str) -> str | None:
        """Where other machines reach the page too; None: the request does not tell.

        >>> Serving("0.0.0.0").address_for_others("192.168.1.7:8765")
        'http://192.168.1.7:8765'
        >>> Serving("0.0.0.0").address_for_others("localhost:8765") is None
        True
        """
        if self.public_url is not None or _name_of(host_header) in _LOOPBACK:
            return self.public_url
        return f"http://{host_header}"

    def takes_origin(self, origin: str, host_header: str) -> bool:
        """Whether a request that changes something may come from a page of an origin.

        >>> Serving().takes_origin("http://127.0.0.1:8765", "127.0.0.1:8765")
        True
        >>> Serving().takes_origin("http://127.0.0.1:9999", "127.0.0.1:8765")
        False
        """
        return origin in {self.public_url, f"http://{host_header}"}


def make_serving(
    host: str, names: tuple[str, ...] = (), public_url: str | None = None
) -> Serving:
    """Check what the options say.

    Raises:
        WrongUse: the public URL is none of a whole host.
    """
    known = {_name_of(each) for each in names}
    if public_url is not None:
        public_url = checked_url(public_url)
        known.add(_name_of(urlsplit(public_url).netloc))
    return Serving(host, frozenset(known), public_url)


def checked_url(url: str) -> str:
    """The address of a page, without a slash at its end.

    Raises:
        WrongUse: it is no ``http`` or ``https`` URL of a whole host.

    >>> checked_url("https://faces.example/")
    'https://faces.example'
    """
    parts = urlsplit(url)
    whole = parts.path in ("", "/") and not (parts.query or parts.fragment)
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc
    if not (plain and parts.hostname and whole):
        raise WrongUse(
            f"{url!r} cannot be the address of the page: give its scheme, its name and "
            "perhaps a port, such as https://faces.example; a folder is not possible"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def url_of(host: str, port: int) -> str:
    """Where a browser on this machine finds a server.

    >>> url_of("0.0.0.0", 80), url_of("::1", 8765)
    ('http://127.0.0.1:80', 'http://[::1]:8765')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://127.0.0.1:{port}"
    return (
        f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"
    )


def _name_of(header: str) -> str:
    """The name in a Host header, without port and brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
