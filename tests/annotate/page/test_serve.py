from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from icf.annotate.page.serve import (
    ADDRESS_FILE,
    open_socket,
    remember_address,
    remembered_address,
    serve,
)
from icf.annotate.page.serving import Serving
from icf.errors import BrokenMachine, WrongUse


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
