"""Normalise URLs as they appear in pages: spaces, IRIs, bad percent signs, dots.

Every fetched URL is normalised, so that one address is one row of the frontier, and the
checked URL is the one that is requested.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

import idna

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.redact import without_login

#: A PostgreSQL index entry has at most 2,704 bytes.
MAX_LENGTH = 2000

DEFAULT_PORTS = {"http": 80, "https": 443}
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IGNORED = str.maketrans("", "", "\t\n\r\0")
_PATH_SAFE = "%/:@!$&'()*+,;=-._~"
_PLAIN = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_ENCODED_DOT = re.compile(r"%2e", re.IGNORECASE)
_SLASHES = re.compile(r"(?P<scheme>https?):(?P<slashes>/*)", re.IGNORECASE)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")
#: A URL that `normalise` does not change; most are like this.
_NORMAL = re.compile(
    r"https?://(?P<host>(?:[a-z0-9-]{1,63}\.)+[a-z][a-z-]{1,62})"
    r"(?P<path>/(?:[a-zA-Z0-9:@!$&'()*+,;=_~-]|%(?!2[eE])[0-9A-Fa-f]{2}|[/.](?![/.]))*)"
)


@dataclass(frozen=True)
class WebUrl:
    """A URL that may be requested.

    Attributes:
        url: ASCII, percent-encoded, without user name, password and fragment.
        original: as the source wrote it, where that differs.
        host: ``name``, or ``name:port`` where the port is not the scheme's own.
    """

    url: str
    original: str | None
    host: str


def normalise(text: str, base: str | None = None) -> WebUrl:
    """Return the URL that ``text`` means.

    Args:
        text: as found in a page, a list or a ``Location`` header.
        base: the URL of the page it was found in, for relative ones.

    Raises:
        Fault: ``bad_scheme`` when it is neither http nor https, ``bad_url`` when it
            cannot be read.

    >>> normalise(" http://Example.org/a b/100%.png#top ")
    WebUrl(url='http://example.org/a%20b/100%25.png', \
original=' http://Example.org/a b/100%.png#top ', host='example.org')
    """
    if (plain := _NORMAL.fullmatch(text)) is not None and len(text) <= MAX_LENGTH:
        return WebUrl(text, None, plain["host"])
    cleaned = _with_two_slashes(_cleaned(text), base)
    try:
        parts = urlsplit(urljoin(base, cleaned) if base else cleaned)
        scheme = parts.scheme.lower()
        if scheme not in DEFAULT_PORTS:
            raise Fault(FetchStatus.BAD_SCHEME, _not_web(text, scheme))
        name, port = _host_name(parts), parts.port
        url = urlunsplit(
            (
                scheme,
                _authority(name, None if port == DEFAULT_PORTS[scheme] else port),
                _quoted(_without_dots(parts.path), _PATH_SAFE) or "/",
                _quoted(parts.query, _PATH_SAFE + "?"),
                "",
            )
        )
    except ValueError as error:
        raise Fault(
            FetchStatus.BAD_URL, f"{_short(text)} is not a URL: {error}"
        ) from error
    if len(url) > MAX_LENGTH:
        raise Fault(
            FetchStatus.BAD_URL,
            f"{_short(text)} is longer than {MAX_LENGTH} characters",
        )
    return WebUrl(url, text if text != url else None, urlsplit(url).netloc)


def host_of(url: str) -> str:
    """Return ``name`` or ``name:port`` of a normalised URL; empty for a file.

    >>> host_of("http://127.0.0.1:8931/w/a.png")
    '127.0.0.1:8931'
    """
    return urlsplit(url).netloc


def _cleaned(text: str) -> str:
    """Drop what browsers drop; read backslashes in the path as slashes."""
    path, mark, rest = text.strip().translate(_IGNORED).partition("?")
    return path.replace("\\", "/") + mark + rest


def _with_two_slashes(text: str, base: str | None) -> str:
    """Read another number of slashes after the scheme as browsers do.

    >>> _with_two_slashes("http:///a.org/x", None)
    'http://a.org/x'
    >>> _with_two_slashes("http:/x", "http://a.org/y")
    '/x'
    """
    found = _SLASHES.match(text)
    if found is None or found["slashes"] == "//":
        return text
    scheme, rest = found["scheme"].lower(), text[found.end() :]
    if len(found["slashes"]) < 2 and base and base.startswith(f"{scheme}://"):
        return found["slashes"] + rest
    return f"{scheme}://{rest}"


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986, 5.2.4): a server reads the path without them.

    >>> _without_dots("/x/../ok/./%2e%2E/.")
    '/'
    """
    if "." not in path and "%2" not in path:
        return path
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        dots = _ENCODED_DOT.sub(".", segment)
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
    return "/".join(["", *kept, *([""] if dots in (".", "..") else [])])


def _host_name(parts: SplitResult) -> str:
    """Return the host in normalised ASCII, or raise `ValueError`."""
    host = parts.hostname or ""
    if not host:
        raise ValueError("it names no host")
    # Python 3.10 takes anything in brackets.
    if ":" in host or "[" in parts.netloc:
        return _ipv6(ipaddress.IPv6Address(host))
    bare = host.rstrip(".")
    try:
        name = bare if _is_plain(bare) else _international(bare)
    except UnicodeError as error:
        raise ValueError(f"{host!r} is no host name: {error}") from error
    if not _NUMBER.match(name.rpartition(".")[2]):
        return name
    # The C library reads "127.1" and "0x7f000001" as addresses: write them in full.
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except OSError as error:
        raise ValueError(f"{host!r} is no IPv4 address") from error


def _ipv6(address: ipaddress.IPv6Address) -> str:
    """Return an address as browsers write it; Python 3.13 writes some otherwise.

    >>> _ipv6(ipaddress.IPv6Address("::FFFF:10.0.0.1"))
    '::ffff:a00:1'
    """
    if address.ipv4_mapped is None:
        return str(address)
    high, low = divmod(int(address.ipv4_mapped), 1 << 16)
    return f"::ffff:{high:x}:{low:x}"


def _is_plain(host: str) -> bool:
    return len(host) <= 253 and _PLAIN.fullmatch(host) is not None


def _international(host: str) -> str:
    return idna.encode(host, uts46=True).decode("ascii").rstrip(".")


def _authority(name: str, port: int | None) -> str:
    host = f"[{name}]" if ":" in name else name
    return host if port is None else f"{host}:{port}"


def _quoted(text: str, safe: str) -> str:
    return quote(_BAD_PERCENT.sub("%25", text), safe=safe)


def _not_web(text: str, scheme: str) -> str:
    if not scheme:
        return f"{_short(text)} has no scheme; only http and https are fetched"
    return f"{_short(text)} is {scheme}:, only http and https are fetched"


def _short(text: str) -> str:
    text = without_login(text)
    return repr(text if len(text) <= 100 else text[:97] + "...")
