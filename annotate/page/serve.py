"""Run the page's server until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from icf.annotate.page.serving import Serving, url_of
from icf.errors import BrokenMachine, WrongUse
from icf.stores.files import replace_file

#: Where the page is served if nobody says otherwise.
DEFAULT_PORT = 8765
#: In a workspace's folder: the address at which its page was served last.
ADDRESS_FILE = "page.json"
#: Seconds that requests have to end after the server was told to stop.
_LAST_REQUESTS = 10
#: Bytes of a request besides its body.
MOST_HEADER = 65_536
#: Seconds until a request's header must be there.
HEADER_SECONDS = 15.0
#: Connections that wait to be accepted; so many are taken before one is looked at.
_BACKLOG = 2048
#: Seconds after which a thread lets others go on.
_SWITCH_SECONDS = 0.0005


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Args:
        host: a name or an address of this machine.
        port: 0: any that is free.

    Raises:
        WrongUse: the host is none of this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_BACKLOG)
        except BaseException:
            made.close()
            raise
    except (OSError, OverflowError) as error:
        raise WrongUse(
            f"cannot serve the page at {host}, port {port}: {error}; choose another "
            "--port (0: any that is free), or another --host"
        ) from error
    return made


def serve(
    app: ASGIApp,
    serving: Serving,
    listening: socket.socket,
    ready: Callable[[], None],
) -> None:
    """Answer requests until SIGINT or SIGTERM; those that began are finished.

    Args:
        app: of `icf.annotate.page.app.make_app`.
        serving: how browsers reach it.
        listening: where it listens.
        ready: called once, when it answers.
    """
    server = make_server(app, serving, ready)
    # Python's default lets a thread that computes keep all others waiting for 5 ms, and
    # a request changes hands many times.
    sys.setswitchinterval(_SWITCH_SECONDS)
    server.run(sockets=[listening])


def make_server(
    app: ASGIApp, serving: Serving, ready: Callable[[], None]
) -> uvicorn.Server:
    """Make what `serve` runs; in another thread it ends when `should_exit` is set."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_REQUESTS,
        # A proxy on this machine says whom it asks for.
        proxy_headers=serving.public_url is not None,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        ws="none",
        http=_Connection,
        backlog=min(_BACKLOG, most_connections() // 2),
    )
    return _Server(config, ready)


def most_connections() -> int:
    """How many connections may be open: half of the files that this process may open.

    The catalogue and pictures need files too, and so does closing what is too much.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4096 if limit == resource.RLIM_INFINITY else min(4096, limit // 2)


class _Connection(HttpToolsProtocol):
    """Ends connections that send more than a header may have, or do not end it."""

    _not_body = 0
    _in_header = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # What comes after the answer to it is not read by anybody.
        if self._late is None and (self._in_header or self.cycle.response_complete):
            self._wait()
        self._not_body += len(data)
        super().data_received(data)
        if self._not_body <= MOST_HEADER or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.send_400_response("The header of this request is too long.")
        else:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_header, self._not_body = False, 0
        self._wait_no_more()

    def on_body(self, body: bytes) -> None:
        self._not_body = max(0, self._not_body - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_header, self._not_body = True, 0
        self._wait_no_more()

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEADER_SECONDS, self._waited)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _waited(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            # The request before this one is still being answered.
            self._wait()


class _Server(uvicorn.Server):
    """Says when it is ready, and ends as programs end that did what they should."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # Of those who did not read their answer, or came in the last moment.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # signals are for the main thread
            return
        # The base class raises the signal once more at the end, as if it had not
        # been answered.
        before = {
            each: signal.signal(each, self.handle_exit)
            for each in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def remember_address(root: Path, url: str) -> None:
    """Keep the address at which a workspace's page is served, for invite links."""
    replace_file(root / ADDRESS_FILE, [json.dumps({"url": url}).encode() + b"\n"])


def remembered_address(root: Path) -> str:
    """The address at which a workspace's page was served last, or would be.

    Raises:
        BrokenMachine: the file is damaged.
    """
    path = root / ADDRESS_FILE
    try:
        return str(json.loads(path.read_bytes())["url"])
    except FileNotFoundError:
        return url_of("127.0.0.1", DEFAULT_PORT)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenMachine(
            f"{path} does not say where the page is served ({error}); remove it, or "
            "give the address with --url"
        ) from error
