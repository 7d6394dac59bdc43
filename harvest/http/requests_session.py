"""A guarded `requests` session, for one call at a time.

It has the same checks as `icf.harvest.http.session`: names are resolved here, each
address is checked, and the connection goes to exactly that address; redirects are
followed here and checked again; there are no cookies and no proxy but that of the
settings; transferred and decoded bytes are capped.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO

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
from icf.harvest.http.body import Limits, Meter
from icf.harvest.http.codings import ACCEPTED, Unpacker, too_large
from icf.harvest.http.proxy import Proxy
from icf.harvest.http.response_head import (
    MAX_HEAD,
    BadHead,
    end_of_head,
    is_http,
    is_interim,
    tidied,
)
from icf.harvest.http.session import (
    CONNECT_SECONDS,
    MAX_REDIRECTS,
    REDIRECTS,
    is_reset,
)
from icf.harvest.http.statuses import is_whole
from icf.harvest.http.urls import normalise

_PIECE = 1 << 16
#: Of a head, in `http.client`: bytes of a line, and lines.
_LONGEST_LINE, _MOST_LINES = 1 << 16, 90


@dataclass(frozen=True)
class Reply:
    """A complete response.

    Attributes:
        url: after redirects.
        headers: by name, case insensitive.
        body: decoded; empty unless it is what was asked for.
    """

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class GuardedSession:
    """A `requests.Session` with checked addresses; one call at a time, from any thread.

    Args:
        agent: the User-Agent header.
        allow: hosts that may have private addresses.
        names: the name service; a look-up has its own time limit.
        proxy: for all hosts that ``allow`` does not name.
    """

    def __init__(
        self,
        agent: str,
        allow: AllowList,
        names: Names = system_names,
        proxy: Proxy | None = None,
    ) -> None:
        self._allow = allow
        self._proxy = proxy or Proxy("", allow)
        self._sockets = _Sockets(self._proxy.reachable, names)
        self._one_call = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        self._session.headers["User-Agent"] = agent
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _GuardedAdapter(self._sockets))

    def ask(
        self,
        url: str,
        limits: Limits,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Request ``url``, follow redirects, and return the complete response.

        Args:
            url: to request.
            limits: on bytes and seconds of the whole call.
            headers: additional request headers.
            form: fields to POST; without them the request is a GET.

        Raises:
            Fault: there is no response, or it exceeds the limits.
        """
        sent = {"Accept": "*/*", "Accept-Encoding": ACCEPTED, **(headers or {})}
        with self._one_call, self._sockets.until(limits.deadline):
            address = normalise(url).url
            for _ in range(MAX_REDIRECTS + 1):
                check_literal(address, self._allow)
                response = self._send(address, limits.deadline, sent, form)
                try:
                    self._proxy.check(address, response.status_code, response.reason)
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
        """Abort the current call, from another thread."""
        self._sockets.cut()

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
        proxy = self._proxy.of(url)
        with self._faults(url, FetchStatus.UNREACHABLE):
            return self._session.request(
                "GET" if form is None else "POST",
                url,
                data=form,
                headers=dict(headers),
                allow_redirects=False,
                stream=True,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                proxies={"http": proxy, "https": proxy} if proxy else {},
            )

    def _read(self, response: requests.Response, url: str, limits: Limits) -> Reply:
        body = b""
        if is_whole(response.status_code):
            body = b"".join(self._pieces(response, url, limits))
        return Reply(
            url, response.status_code, response.reason or "", response.headers, body
        )

    def _pieces(
        self, response: requests.Response, url: str, limits: Limits
    ) -> Iterator[bytes]:
        stated = response.headers.get("Content-Length", "")
        if stated.isdecimal() and int(stated) > limits.max_bytes:
            raise too_large(url, f"Content-Length is {stated} bytes", limits.max_bytes)
        encoding = response.headers.get("Content-Encoding", "")
        unpacker = Unpacker(url, encoding, limits.max_bytes)
        meter = Meter(url, limits)
        while True:
            with self._faults(url, FetchStatus.TRUNCATED):
                encoded = response.raw.read1(_PIECE, decode_content=False)
            if not encoded:
                break
            meter.count(len(encoded))
            yield from unpacker.feed(encoded)
        unpacker.finish()

    @contextmanager
    def _faults(self, url: str, broken: FetchStatus) -> Iterator[None]:
        """Turn what requests raises into a `Fault`, as `session.faults_of` does."""
        try:
            yield
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if self._sockets.was_cut:
                raise _too_late(url) from error
            if isinstance(error, requests.exceptions.ProxyError):
                raise self._fault_of_proxy(url, error) from error
            raise _fault(url, error, broken) from error
        # A connection that was cut looks like one that the server closed normally.
        if self._sockets.was_cut:
            raise _too_late(url)

    def _fault_of_proxy(self, url: str, error: Exception) -> Fault:
        """Return what is wrong with the proxy, or what it says of a host."""
        why = str(list(_causes(error))[-1])
        said = _NO_TUNNEL.search(why)
        if said is None:
            return self._proxy.down(url, why)
        return self._proxy.refusal(url, int(said["status"]), said["words"])


#: What `http.client` says where a proxy opens no tunnel to a host.
_NO_TUNNEL = re.compile(r"Tunnel connection failed: (?P<status>\d{3}) ?(?P<words>.*)")


def _too_late(url: str) -> Fault:
    return Fault(
        FetchStatus.TIMEOUT, f"{url}: no response within the deadline", again=True
    )


def _fault(url: str, error: Exception, broken: FetchStatus) -> Fault:
    causes = list(_causes(error))
    slow = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if any(isinstance(cause, slow) for cause in causes):
        return _too_late(url)
    if isinstance(error, requests.exceptions.InvalidURL):
        return Fault(FetchStatus.BAD_URL, f"{url}: {error}")
    invalid = [cause for cause in causes if _is_not_http(cause)]
    if invalid:
        text = f"{url}: no valid HTTP response: {invalid[-1]}"
        return Fault(FetchStatus.HTTP_ERROR, text, again=True)
    if any(map(is_reset, causes)):
        broken = FetchStatus.TRUNCATED
    secure = any(isinstance(cause, ssl.SSLError) for cause in causes)
    return Fault(broken, f"{url}: {causes[-1]}", again=not secure)


def _is_not_http(cause: BaseException) -> bool:
    return isinstance(cause, http.client.HTTPException) and not isinstance(
        cause, http.client.RemoteDisconnected | http.client.IncompleteRead
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, down to the first one."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = [one for one in cause.args if isinstance(one, BaseException)]
        cause = cause.__cause__ or (inner[-1] if inner else None) or cause.__context__


class _Sockets:
    """Opens connections to checked addresses and can cut them."""

    def __init__(self, allow: AllowList, names: Names) -> None:
        self._allow = allow
        self._names = names
        self._open: dict[HTTPConnection, socket.socket] = {}
        self._lock = threading.Lock()
        self._ends = 0.0
        self.was_cut = False

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """Cut every connection if the block does not end in time."""
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
        """Shut down every connection; threads that wait for one get an error."""
        self.was_cut = True
        with self._lock:
            for opened in self._open.values():
                with suppress(OSError):  # the other side has closed it
                    opened.shutdown(socket.SHUT_RDWR)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to the host of a connection.

        Raises:
            Fault: the name service does not answer, or no address is public.
            OSError: no address can be connected to.
        """
        host, port = connection.host, connection.port
        error = OSError(f"{host} has no address")
        for address in look_up(host, port, self._names, self._allow):
            left = self._ends - time.monotonic()
            if self.was_cut or left <= 0:
                raise TimeoutError(f"no time is left to connect to {host}")
            try:
                opened = socket.create_connection(
                    (address, port), min(CONNECT_SECONDS, left)
                )
            except OSError as failure:
                error = failure
                continue
            with self._lock:
                # A second handle, because TLS takes over the first one.
                self._open[connection] = opened.dup()
            return opened
        raise error

    def forget(self, connection: HTTPConnection) -> None:
        """Drop a connection that is closed."""
        with self._lock:
            opened = self._open.pop(connection, None)
        if opened is not None:
            opened.close()


class _GuardedAdapter(HTTPAdapter):
    """Gives `requests` pools whose connections `_Sockets` opens."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; `requests` calls it."""
        # Trust the system's authorities too, not only those that come with requests.
        context = ssl.create_default_context()
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._sockets)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        """Make the pools of a proxy; `requests` calls it."""
        context = ssl.create_default_context()
        manager: urllib3.ProxyManager
        manager = super().proxy_manager_for(proxy, ssl_context=context, **kwargs)
        manager.pool_classes_by_scheme = _pools(self._sockets)
        return manager


class _LenientResponse(HTTPResponse):
    """A response whose head is tidied before it is parsed."""

    def begin(self) -> None:
        """Read the head; `http.client` calls it.

        Raises:
            BadHead: it does not say what the response is.
        """
        stream = self.fp
        while is_interim(head := _read_head(stream)):
            pass
        self.fp = io.BufferedReader(io.BytesIO(head))
        try:
            super().begin()
        finally:
            self.fp = stream


def _read_head(stream: BinaryIO) -> bytes:
    """Return the next head, tidied and within the limits of `http.client`."""
    head, end = bytearray(), None
    while end is None:
        searched = len(head)
        head += (line := stream.readline(MAX_HEAD))
        if not line or not is_http(head := head.lstrip(b"\r\n")):
            return bytes(head)  # `http.client` says what is wrong with it
        if len(head) > MAX_HEAD:
            raise BadHead(f"a head of more than {MAX_HEAD} bytes")
        end = end_of_head(head, searched)
    lines = tidied(bytes(head)).splitlines(keepends=True)
    short = [line for line in lines if len(line) < _LONGEST_LINE]
    return b"".join([*short[:_MOST_LINES], b"\r\n"])


def _pools(sockets: _Sockets) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        response_class = _LenientResponse

        def _new_conn(self) -> socket.socket:
            return sockets.connect(self)

        def close(self) -> None:
            super().close()
            sockets.forget(self)

    class Secure(HTTPSConnection):
        response_class = _LenientResponse

        def _new_conn(self) -> socket.socket:
            return sockets.connect(self)

        def close(self) -> None:
            super().close()
            sockets.forget(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
