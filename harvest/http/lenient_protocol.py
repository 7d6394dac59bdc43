"""aiohttp's protocol of a connection, which tidies each head before it is parsed."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from icf.harvest.http.body_end import BodyEnd
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
    """Collects the head of each response; passes its body on as it comes.

    What a server writes behind the body is dropped, and the connection with it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head: bytearray | None = None
        self._end: BodyEnd | None = None

    def set_response_params(self, **options: Any) -> None:
        self._head, self._end = bytearray(), None  # a request is sent now
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        if self._head is None or self._parser is None:
            self._pass_on(b"", data)
            return
        searched = len(self._head)
        self._head += data
        try:
            heads, body = self._tidied(searched)
        except BadHead as error:
            if self.transport is not None:
                self.transport.close()
            self.set_exception(HttpProcessingError(message=str(error)), error)
            return
        if heads or body:
            self._pass_on(heads, body)

    def _pass_on(self, heads: bytes, body: bytes) -> None:
        own = len(body) if self._end is None else self._end.count(body)
        if own < len(body):
            self.force_close()  # before the parser sees the end, and gives it back
            if not heads and not own and self.transport is not None:
                self.transport.close()  # it was given back
                return
        super().data_received(heads + body[:own])

    def _tidied(self, searched: int) -> tuple[bytes, bytes]:
        """Return what can be passed on: complete heads, and the body after them."""
        done = b""
        while self._head is not None:
            if self._head.startswith((b"\r", b"\n")):
                self._head, searched = self._head.lstrip(b"\r\n"), 0
            end = end_of_head(self._head, searched)
            if not is_http(self._head):
                return done, self._all_of_it()
            if (end or len(self._head)) > MAX_HEAD:
                raise BadHead(f"a head of more than {MAX_HEAD} bytes")
            if end is None:
                break
            head, searched = tidied(bytes(self._head[:end])), 0
            done, self._head = done + head, self._head[end:]
            if not is_interim(head):
                self._end = BodyEnd(head)
                return done, self._all_of_it()
        return done, b""

    def _all_of_it(self) -> bytes:
        rest, self._head = bytes(self._head or b""), None
        return rest


def _protocol(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Protocol(loop)
