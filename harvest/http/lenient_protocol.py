"""aiohttp's protocol of a connection, which tidies each head before it is parsed."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from icf.harvest.http.response_head import (
    MAX_HEAD,
    BadHead,
    end_of_head,
    is_http,
    is_interim,
    tidied,
)


class LenientConnector(aiohttp.TCPConnector):
    """A connector whose connections take heads as browsers do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # aiohttp has no public way to choose the protocol; a test sees that this works.
        self._factory = functools.partial(_protocol, loop=self._loop)


class _Protocol(ResponseHandler):
    """Collects the head of each response; passes its body on as it comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head: bytearray | None = None

    def set_response_params(self, **options: Any) -> None:
        self._head = bytearray()  # a request is sent now
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        if self._head is None or self._parser is None:
            super().data_received(data)
            return
        searched = len(self._head)
        self._head += data
        try:
            rest = self._tidied(searched)
        except BadHead as error:
            if self.transport is not None:
                self.transport.close()
            self.set_exception(HttpProcessingError(message=str(error)), error)
            return
        if rest:
            super().data_received(rest)

    def _tidied(self, searched: int) -> bytes:
        """Return what can be passed on: complete heads, and the body after them."""
        done = b""
        while self._head is not None:
            if self._head.startswith((b"\r", b"\n")):
                self._head, searched = self._head.lstrip(b"\r\n"), 0
            end = end_of_head(self._head, searched)
            if not is_http(self._head):
                return self._all_of_it(done)
            if (end or len(self._head)) > MAX_HEAD:
                raise BadHead(f"a head of more than {MAX_HEAD} bytes")
            if end is None:
                break
            head, searched = tidied(bytes(self._head[:end])), 0
            done, self._head = done + head, self._head[end:]
            if not is_interim(head):
                return self._all_of_it(done)
        return done

    def _all_of_it(self, done: bytes) -> bytes:
        rest, self._head = bytes(self._head or b""), None
        return done + rest


def _protocol(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Protocol(loop)
