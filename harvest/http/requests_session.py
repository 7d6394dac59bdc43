"""A guarded `requests` session, for what is asked one call at a time.

It is as strict as `icf.harvest.http.session`: names are resolved here, each address is
checked, and the connection goes to the very address that was checked; redirects are
followed by hand and checked again; no cookies, no proxy settings from the environment;
bytes are counted on the wire and unpacked.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import (
    AllowList,
    Names,
    check_literal,
    look_up,
    system_names,
)
from icf.harvest.http.body import Limits, Meter, too_large, unpacker
from icf.harvest.http.session import CONNECT_SECONDS, MAX_REDIRECTS, REDIRECTS
from icf.harvest.http.urls import normalise

_PIECE = 1 << 16


@dataclass(frozen=True)
class Reply:
    """A whole response.

    Attributes:
        url: where the last redirect led.
        headers: by name, in any case.
        body: unpacked; empty unless the status is 200.
    """

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class GuardedSession:
    """A `requests.Session` behind the guard; one call at a time, from any thread.

    Args:
        agent: the User-Agent header.
        allow: the user's own hosts, which may have private addresses.
        names: the name service. Its own time limits hold while it is asked.
    """

    def __init__(
        self, agent: str, allow: AllowList, names: Names = system_names
    ) -> None:
        self._allow = allow
        self._wires = _Wires(allow, names)
        self._one_call = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        self._session.headers["User-Agent"] = agent
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _GuardedAdapter(self._wires))

    def ask(
        self,
        url: str,
        limits: Limits,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask for ``url``, follow redirects, and return the whole response.

        Args:
            url: where to ask.
            limits: bytes and seconds of everything together.
            headers: further request headers.
            form: fields to POST; without them it is a GET.

        Raises:
            Fault: no response came, or one over the limits.
        """
        asked = {"Accept": "*/*", "Accept-Encoding": "gzip", **(headers or {})}
        with self._one_call, self._wires.until(limits.deadline):
            address = normalise(url).url
            for _ in range(MAX_REDIRECTS + 1):
                check_literal(address, self._allow)
                response = self._send(address, limits.deadline, asked, form)
                try:
                    location = response.headers.get("Location")
                    if response.status_code not in REDIRECTS or location is None:
                        return self._read(response, address, limits)
                finally:
                    response.close()
                address = normalise(location, base=address).url
        raise Fault(
            FetchStatus.TOO_MANY_REDIRECTS,
            f"more than {MAX_REDIRECTS} redirects; the last one points to {address}",
        )

    def cut(self) -> None:
        """End the call that is under way, from another thread."""
        self._wires.cut()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _send(
        self,
        url: str,
        seconds: float,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
    ) -> requests.Response:
        with self._faults(url, FetchStatus.UNREACHABLE):
            return self._session.request(
                "GET" if form is None else "POST",
                url,
                data=form,
                headers=dict(headers),
                allow_redirects=False,
                stream=True,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
            )

    def _read(self, response: requests.Response, url: str, limits: Limits) -> Reply:
        body = b""
        if response.status_code == 200:
            body = b"".join(self._pieces(response, url, limits))
        return Reply(
            url, response.status_code, response.reason or "", response.headers, body
        )

    def _pieces(
        self, response: requests.Response, url: str, limits: Limits
    ) -> Iterator[bytes]:
        promised = response.headers.get("Content-Length", "")
        if promised.isdecimal() and int(promised) > limits.max_bytes:
            raise too_large(url, f"it promises {promised} bytes", limits)
        unpack = unpacker(response.headers.get("Content-Encoding", ""), url)
        meter, unpacked = Meter(url, limits), 0
        while True:
            with self._faults(url, FetchStatus.TRUNCATED):
                packed = response.raw.read1(_PIECE, decode_content=False)
            if not packed:
                break
            meter.count(len(packed))
            for piece in unpack.feed(packed):
                unpacked += len(piece)
                if unpacked > limits.max_bytes:
                    raise too_large(url, "unpacked it is more", limits)
                yield piece
        unpack.finish()

    @contextmanager
    def _faults(self, url: str, broken: FetchStatus) -> Iterator[None]:
        """Turn what requests raises into a `Fault`, as `web.faults_of` does."""
        try:
            yield
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if self._wires.was_cut:
                raise _too_late(url) from error
            raise _fault(url, error, broken) from error
        # A connection that was cut looks like one that the server ended in good order.
        if self._wires.was_cut:
            raise _too_late(url)


def _too_late(url: str) -> Fault:
    return Fault(
        FetchStatus.TIMEOUT, f"{url}: no answer in the time allowed", again=True
    )


def _fault(url: str, error: Exception, broken: FetchStatus) -> Fault:
    causes = list(_causes(error))
    slow = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if any(isinstance(cause, slow) for cause in causes):
        return _too_late(url)
    if isinstance(error, requests.exceptions.InvalidURL):
        return Fault(FetchStatus.BAD_URL, f"{url}: {error}")
    odd = [cause for cause in causes if _is_not_http(cause)]
    if odd:
        text = f"{url}: the server does not speak HTTP: {odd[-1]!r}"
        return Fault(FetchStatus.HTTP_ERROR, text, again=True)
    secure = any(isinstance(cause, ssl.SSLError) for cause in causes)
    return Fault(broken, f"{url}: {causes[-1]}", again=not secure)


def _is_not_http(cause: BaseException) -> bool:
    return isinstance(cause, http.client.HTTPException) and not isinstance(
        cause, http.client.RemoteDisconnected | http.client.IncompleteRead
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then what it came from, down to the first one."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = [one for one in cause.args if isinstance(one, BaseException)]
        cause = cause.__cause__ or (inner[-1] if inner else None) or cause.__context__


class _Wires:
    """Opens connections to addresses that were checked, and can cut them."""

    def __init__(self, allow: AllowList, names: Names) -> None:
        self._allow = allow
        self._names = names
        self._open: dict[HTTPConnection, socket.socket] = {}
        self._lock = threading.Lock()
        self._ends = 0.0
        self.was_cut = False

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """Cut every connection unless the block ends in time."""
        self.was_cut = False
        self._ends = time.monotonic() + seconds
        watch = threading.Timer(seconds, self.cut)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
            watch.join()

    def cut(self) -> None:
        """Shut down every connection: whoever waits for it wakes up with an error."""
        self.was_cut = True
        with self._lock:
            for wire in self._open.values():
                with suppress(OSError):  # the other side was faster
                    wire.shutdown(socket.SHUT_RDWR)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to the host of a connection.

        Raises:
            Fault: the name service is silent, or no address is public.
            OSError: no address can be connected to.
        """
        host, port = connection.host, connection.port
        error = OSError(f"{host} has no address")
        for address in look_up(host, port, self._names, self._allow):
            left = self._ends - time.monotonic()
            if self.was_cut or left <= 0:
                raise TimeoutError(f"no time is left to connect to {host}")
            try:
                wire = socket.create_connection(
                    (address, port), min(CONNECT_SECONDS, left)
                )
            except OSError as refused:
                error = refused
                continue
            with self._lock:
                # A second handle: TLS takes the first one for itself.
                self._open[connection] = wire.dup()
            return wire
        raise error

    def forget(self, connection: HTTPConnection) -> None:
        """Let go of a connection that is closed."""
        with self._lock:
            wire = self._open.pop(connection, None)
        if wire is not None:
            wire.close()


class _GuardedAdapter(HTTPAdapter):
    """Gives `requests` pools whose connections are made by `_Wires`."""

    def __init__(self, wires: _Wires) -> None:
        self._wires = wires
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; `requests` calls it."""
        # The system's authorities count beside those that requests brings.
        context = ssl.create_default_context()
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._wires)


def _pools(wires: _Wires) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return wires.connect(self)

        def close(self) -> None:
            super().close()
            wires.forget(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return wires.connect(self)

        def close(self) -> None:
            super().close()
            wires.forget(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
