"""The guarded aiohttp session.

Scheme and address are checked for the requested URL and again at each redirect, so
redirects are followed here and not by aiohttp. There are no cookies, no proxy but that
of the settings and no automatic decoding (`icf.harvest.http.body` decodes under a
cap).
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import (
    AllowList,
    GuardedResolver,
    SystemResolver,
    check_literal,
    names_down,
)
from icf.harvest.http.codings import ACCEPTED
from icf.harvest.http.lenient_protocol import LenientConnector
from icf.harvest.http.places import most_waiting
from icf.harvest.http.proxy import Proxy
from icf.harvest.http.response_head import MAX_HEAD
from icf.harvest.http.urls import normalise

MAX_REDIRECTS = 5
#: As long as the first four attempts of the system, which come after 0, 1, 3 and 7 s.
CONNECT_SECONDS = 10.0

REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})

#: Bytes, and fields; the protocol has its own limit. Latin-1 is longer in UTF-8.
_LONGEST_HEAD = 2 * MAX_HEAD

#: Answers of a name service, of which some systems have one.
_NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

Check = Callable[[str], Awaitable[None]]


class Web:
    """A guarded HTTP session; an asynchronous context manager.

    Args:
        agent: the User-Agent header.
        allow: hosts that may have private addresses.
        connections: maximum number of open connections, besides those that wait to be
            opened.
        names: the name service; by default the system's.
        proxy: for all hosts that ``allow`` does not name: ``http://HOST:PORT``; empty:
            none.
    """

    def __init__(
        self,
        agent: str,
        allow: AllowList,
        *,
        connections: int = 64,
        names: AbstractResolver | None = None,
        proxy: str = "",
    ) -> None:
        self.agent = agent
        self.allow = allow
        self.proxy = Proxy(proxy, allow)
        self._connections = connections
        self._names = names
        self._own_names: SystemResolver | None = None
        self._session: aiohttp.ClientSession | None = None
        self._exits = ExitStack()

    async def __aenter__(self) -> Web:
        """Open the session."""
        names = self._names
        if names is None:
            names = self._own_names = SystemResolver()
        connector = LenientConnector(
            resolver=GuardedResolver(names, self.proxy.reachable),
            limit=self._connections + most_waiting(),
            ttl_dns_cache=60,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=_LONGEST_HEAD,
            max_field_size=_LONGEST_HEAD,
            max_headers=_LONGEST_HEAD,
            headers={"User-Agent": self.agent, "Accept-Encoding": ACCEPTED},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        if self._own_names is not None:
            await self._own_names.close()
        self._exits.close()

    def at_exit(self, close: Callable[[], None]) -> None:
        """Call ``close`` when this session is closed."""
        self._exits.callback(close)

    async def has_names(self, host: str) -> bool:
        """Whether the name service answers about a name below that of a host.

        The name is a new one, which no cache knows. Mostly the answer is that there is
        none.
        """
        names = self._names or self._own_names
        assert names is not None
        try:
            await names.resolve(f"{secrets.token_hex(8)}.{host}")
        except socket.gaierror as error:
            return error.errno in _NO_SUCH_NAME
        except OSError:
            return False
        return True

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Request ``url``, follow redirects, and yield the response, body unread.

        Args:
            url: a normalised URL.
            deadline: seconds for redirects, headers and body together.
            headers: additional request headers.
            form: fields to POST; without them the request is a GET.
            check: called with the URL before each request, also at each redirect.

        Raises:
            Fault: there is no response.
        """
        started = asyncio.get_running_loop().time()
        for _ in range(MAX_REDIRECTS + 1):
            if check is not None:
                await check(url)
            left = deadline - (asyncio.get_running_loop().time() - started)
            response = await self._ask(url, max(left, 0.001), headers or {}, form)
            try:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    yield response
                    return
            finally:
                _close(response)
            url = normalise(location, base=url).url
        raise Fault(
            FetchStatus.TOO_MANY_REDIRECTS,
            f"more than {MAX_REDIRECTS} redirects; the last one points to {url}",
        )

    @asynccontextmanager
    async def ask(
        self, url: str, *, deadline: float, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Request ``url`` once, and yield the response, also one that redirects.

        Args:
            url: a normalised URL.
            deadline: seconds for headers and body together.
            headers: additional request headers.

        Raises:
            Fault: there is no response.
        """
        response = await self._ask(url, deadline, headers, None)
        try:
            yield response
        finally:
            _close(response)

    async def _ask(
        self,
        url: str,
        seconds: float,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("use `async with Web(...)`")
        check_literal(url, self.allow)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        proxy = self.proxy.of(url)
        with faults_of(url, FetchStatus.UNREACHABLE), self._faults_of_proxy(url):
            try:
                response = await self._session.request(
                    "GET" if form is None else "POST",
                    yarl.URL(url, encoded=True),
                    data=form,
                    allow_redirects=False,
                    timeout=timeout,
                    headers=headers,
                    proxy=proxy,
                )
            except aiohttp.ConnectionTimeoutError as error:
                # The host may be slow behind a proxy that is there.
                if proxy is None or await self._is_there(proxy):
                    raise
                why = f"no connection within {CONNECT_SECONDS:.0f} s"
                raise self.proxy.down(url, why) from error
        try:
            self.proxy.check(url, response.status, response.reason or "")
        except Fault:
            _close(response)
            raise
        return response

    async def _is_there(self, proxy: str) -> bool:
        """Whether a proxy takes connections."""
        parts = urlsplit(proxy)
        opening = asyncio.open_connection(parts.hostname, parts.port)
        try:
            _, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except (OSError, asyncio.TimeoutError):
            return False
        writer.close()
        return True

    @contextmanager
    def _faults_of_proxy(self, url: str) -> Iterator[None]:
        """Turn what is wrong with the proxy, or what it says, into faults."""
        try:
            yield
        except aiohttp.ClientConnectorDNSError as error:
            if self.proxy.of(url) is None:
                raise
            raise self.proxy.down(url, error.os_error) from error  # of its own name
        except aiohttp.ClientProxyConnectionError as error:
            raise self.proxy.down(url, error.os_error) from error
        except aiohttp.ClientHttpProxyError as error:
            raise self.proxy.refusal(url, error.status, error.message) from error


def _close(response: aiohttp.ClientResponse) -> None:
    """Reuse the connection only if no body is left: the rest is not worth reading."""
    if response.content.at_eof():
        response.release()
    else:
        response.close()


@contextmanager
def faults_of(url: str, broken: FetchStatus) -> Iterator[None]:
    """Turn what aiohttp raises into a `Fault`.

    Args:
        url: that was requested.
        broken: the fate if the connection breaks: ``unreachable`` before the response,
            ``truncated`` within its body. A reset is ``truncated`` in both.
    """
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        text = f"{url}: no connection within {CONNECT_SECONDS:.0f} s"
        raise Fault(FetchStatus.UNREACHABLE, text, again=True) from error
    except asyncio.TimeoutError as error:
        raise Fault(
            FetchStatus.TIMEOUT, f"{url}: no response within the deadline", again=True
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise _not_connected(url, error) from error
    except aiohttp.InvalidURL as error:
        raise Fault(FetchStatus.BAD_URL, f"{url}: {error}") from error
    except aiohttp.ClientResponseError as error:
        text = f"{url}: no valid HTTP response: {error.message}"
        raise Fault(FetchStatus.HTTP_ERROR, text, again=True) from error
    except (aiohttp.ClientError, OSError) as error:
        # Writing a body to disk can fail here too; that is not the URL's fault.
        if isinstance(error, OSError) and error.errno in _MACHINE:
            raise
        text = str(error) or type(error).__name__
        fate = FetchStatus.TRUNCATED if is_reset(error) else broken
        raise Fault(fate, f"{url}: {text}", again=True) from error


_MACHINE = frozenset({errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE})


def _not_connected(url: str, error: aiohttp.ClientConnectorError) -> Fault:
    reason = error.os_error
    if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_AGAIN:
        return names_down(url)
    secure = isinstance(error, aiohttp.ClientSSLError)
    fate = FetchStatus.TRUNCATED if is_reset(reason) else FetchStatus.UNREACHABLE
    return Fault(fate, f"{url}: {reason}", again=not secure)


def is_reset(error: BaseException) -> bool:
    """Whether the other side took the connection and then reset it."""
    # Where it is reset before all of a request was sent, aiohttp gives no number.
    if isinstance(error, aiohttp.ClientConnectionResetError):
        return True
    return isinstance(error, OSError) and error.errno == errno.ECONNRESET
