"""Fetch a file that the user names by its address.

Unlike the addresses of a harvest, this one is the user's own, so private hosts are no
surprise; where it redirects to is not. Everything goes over https with certificates
checked, so whoever a redirect leads to has to prove its name, and a service of the
local network or the cloud cannot be reached by it. Plain http is for loopback alone,
and only as the first address.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3

from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.version import __version__

#: The largest file that is fetched: DINOv2's giant has 4.5 GB.
MAX_BYTES = 6_000_000_000
_PIECE = 1 << 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
#: Seconds to connect, and between two pieces.
_TIMEOUT = (15, 60)


@dataclass(frozen=True)
class Downloaded:
    """A fetched file.

    Attributes:
        path: where it is.
        sha256: of its bytes.
        bytes: its size.
    """

    path: Path
    sha256: str
    bytes: int


def is_address(text: str) -> bool:
    """Whether a text is an address rather than a path.

    >>> is_address("https://example.org/model.onnx"), is_address("models/a.onnx")
    (True, False)
    """
    return "://" in text


def file_name(url: str) -> str:
    """Return the last part of an address's path; ``"model"`` if there is none.

    >>> file_name("https://example.org/a/face%20v1/model.onnx?download=true")
    'model.onnx'
    """
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return last.replace("\0", "") if last not in ("", ".", "..") else "model"


def download(
    url: str,
    folder: Path,
    begin: Callable[[int | None], Callable[[int], None]],
    max_bytes: int = MAX_BYTES,
) -> Downloaded:
    """Fetch a file.

    Args:
        url: its address.
        folder: where it goes, under the name in the address.
        begin: called with the size once it is known, or None; what it returns is
            called with the bytes that have come since.
        max_bytes: the most that it may have.

    Raises:
        WrongUse: the address or one it redirects to is not https.
        BadInput: the server does not give the file, or it is too large.
        BrokenMachine: the server cannot be reached, or the connection breaks off.
    """
    _check(url, first=True)
    path = folder / file_name(url)
    try:
        with requests.Session() as session:
            session.headers["User-Agent"] = f"icf/{__version__}"
            response = _opened(session, url)
            with response:
                return _saved(response, path, begin, max_bytes)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise BrokenMachine(
            f"cannot fetch {url}: {error}; check the address and the network, or fetch "
            "the file yourself and give its path"
        ) from error


def _opened(session: requests.Session, url: str) -> requests.Response:
    """Request an address and follow its redirects, each of them checked."""
    for _ in range(_MAX_REDIRECTS + 1):
        # Bytes are hashed as they are stored, so they must not come compressed.
        headers = {"Accept-Encoding": "identity"}
        response = session.get(
            url, headers=headers, stream=True, allow_redirects=False, timeout=_TIMEOUT
        )
        if response.status_code not in _REDIRECTS:
            if response.status_code != requests.codes.ok:
                response.close()
                raise BadInput(
                    f"{url}: the server says {response.status_code} "
                    f"{response.reason}; a private file has to be fetched by yourself"
                )
            return response
        response.close()
        url = urljoin(url, response.headers.get("Location", ""))
        _check(url, first=False)
    raise BadInput(f"more than {_MAX_REDIRECTS} redirects; the last one is to {url}")


def _saved(
    response: requests.Response,
    path: Path,
    begin: Callable[[int | None], Callable[[int], None]],
    max_bytes: int,
) -> Downloaded:
    stated = response.headers.get("Content-Length", "")
    expected = int(stated) if stated.isdecimal() else None
    if expected is not None and expected > max_bytes:
        raise _too_large(response.url, expected, max_bytes)
    advance, digest, size = begin(expected), hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > max_bytes:
                raise _too_large(response.url, size, max_bytes)
            digest.update(piece)
            file.write(piece)
            advance(len(piece))
    if expected is not None and size != expected:
        raise BrokenMachine(
            f"{response.url}: {size} of {expected} bytes came; give the command again"
        )
    return Downloaded(path, digest.hexdigest(), size)


def _too_large(url: str, size: int, most: int) -> BadInput:
    return BadInput(
        f"{url} has {size} bytes or more; a model may have {most}. If it is one, fetch "
        "the file yourself and give its path"
    )


def _check(url: str, *, first: bool) -> None:
    """Check that an address is https, or plain http on this machine.

    Raises:
        WrongUse: it is not.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise WrongUse(f"{url!r} is no address: it names no host")
    if parts.scheme == "https":
        return
    if parts.scheme == "http" and first and _is_loopback(parts.hostname):
        return
    what = "the address" if first else "the server redirects to an address that"
    raise WrongUse(
        f"{url}: {what} {'has to be' if first else 'is not'} https, so that nobody on "
        "the way can change the file; or fetch it yourself and give its path"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
