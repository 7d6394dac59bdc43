from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from icf.annotate.page import serve as served
from icf.annotate.page.serve import (
    ADDRESS_FILE,
    MOST_HEADER,
    make_server,
    open_socket,
    remember_address,
    remembered_address,
    serve,
)
from icf.annotate.page.serving import Serving
from icf.errors import BrokenMachine, WrongUse
from tests.annotate.page.waiting import comes_true


def test_the_address_is_remembered_until_another_one_is(tmp_path: Path) -> None:
    assert remembered_address(tmp_path) == "http://127.0.0.1:8765"
    for url in ("http://127.0.0.1:1", "https://faces.example"):
        remember_address(tmp_path, url)
        assert remembered_address(tmp_path) == url


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_address_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / ADDRESS_FILE).write_bytes(data)
    with pytest.raises(BrokenMachine, match="give the address with --url"):
        remembered_address(tmp_path)


@pytest.mark.parametrize("host", ["300.1.1.1", "no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_here_is_refused_in_words(host: str) -> None:
    with pytest.raises(WrongUse, match="choose another --port"):
        open_socket(host, 0)


def test_a_request_that_began_is_finished_before_the_server_ends() -> None:
    listening = open_socket("127.0.0.1", 0)
    port = listening.getsockname()[1]
    before = signal.getsignal(signal.SIGTERM)
    client = socket.socket()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        # The server is told to stop while it answers, and does not listen any more.
        signal.raise_signal(signal.SIGTERM)
        while listening.fileno() >= 0:
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all of it"})

    def ask() -> None:
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    serve(app, Serving(), listening, ask)
    with client:
        answer = b""
        while part := client.recv(4096):
            answer += part
    assert b"all of it" in answer
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")


async def _reads(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the number of bytes of a body; without reading it where told so."""
    assert scope["type"] == "http"
    size, more = 0, scope["path"] != "/unread"
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d bytes" % size})


@contextmanager
def _running(app: ASGIApp = _reads) -> Iterator[int]:
    """A server in a thread; yields its port."""
    is_ready = threading.Event()
    server = make_server(app, Serving(), is_ready.set)
    with open_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert is_ready.wait(60)
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join()


def _said(port: int, *parts: bytes, drops: Iterable[bytes] = ()) -> bytes:
    """What the server says, until it ends the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        try:
            for part in itertools.chain(parts, drops):
                client.sendall(part)
            while part := client.recv(4096):
                answer += part
        except ConnectionError:
            pass
    return answer


_GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


async def _much(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than there is room for on the way."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(1 << 26)})


def test_who_does_not_read_an_answer_is_cut_off_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "_LAST_REQUESTS", 1)
    with socket.socket() as client:
        with _running(_much) as port:
            client.connect(("127.0.0.1", port))
            client.sendall(_GET + b"\r\n")
            assert client.recv(1)
        client.settimeout(60)
        read = 0
        with suppress(ConnectionResetError):
            while part := client.recv(1 << 20):
                read += len(part)
        assert read < 1 << 26


def test_a_header_ends_before_it_fills_the_memory() -> None:
    line = b"X: " + b"a" * 8000 + b"\r\n"
    with _running() as port:
        assert b"0 bytes" in _said(port, _GET, line * 7, b"\r\n")
        for endless in ([line] * 200, [b"X: ", *[b"a" * 8000] * 200]):
            assert b"bytes" not in _said(port, _GET, *endless)
        # Nor does what may follow a body, one that nobody reads included.
        for begin in (_POST, _POST.replace(b"/", b"/unread", 1)):
            ends = begin + _CHUNKED + b"1\r\na\r\n0\r\n"
            assert b"1 bytes" not in _said(port, ends, *[line] * 200)


def test_a_body_may_be_longer_than_a_header() -> None:
    size = 5 * MOST_HEADER
    length = b"Content-Length: %d\r\n\r\n" % size
    chunk = b"2000\r\n" + b"a" * 0x2000 + b"\r\n"
    with _running() as port:
        assert b"%d bytes" % size in _said(port, _POST, length, b"a" * size)
        chunks = [chunk] * (size // 0x2000)
        assert b"%d bytes" % size in _said(port, _POST, _CHUNKED, *chunks, b"0\r\n\r\n")


_UNREAD = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET / HT", _GET])
def test_a_header_that_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(served, "HEADER_SECONDS", 0.2)
    with _running() as port:
        assert _said(port, begun) == b""


@pytest.mark.parametrize("begun", [_GET, _GET[:-19] + b"\r\n" + _GET, _UNREAD])
def test_what_comes_in_drops_is_ended(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(served, "HEADER_SECONDS", 0.2)

    coming = iter(range(3000))

    def drops() -> Iterator[bytes]:
        yield begun + b"X: "
        for _ in coming:
            time.sleep(0.02)
            yield b"a"

    with _running() as port:
        _said(port, drops=drops())
    assert next(coming, None) is not None, "it stays open as long as drops come"


def test_there_are_not_more_connections_than_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "most_connections", lambda: 2)
    with _running() as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        assert _said(port, _GET, b"\r\n") == b""
        for each in held:
            each.close()
        assert comes_true(lambda: b"0 bytes" in _said(port, _GET, b"\r\n"))
