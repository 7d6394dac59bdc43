"""aiohttp's connections, with heads that are tidied before they are parsed."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import HttpProcessingError

from icf.harvest.http.body_end import BodyEnd
from icf.harvest.http.places import opening
from icf.harvest.http.response_head import (
    MAX_HEAD,
    BadHead,
    end_of_head,
    is_http,
    is_interim,
    tidied,
)

#: Connections that are kept open for a next request. aiohttp would keep one of each
#: host for 15 seconds: a list of many hosts has no files left to open then.
MOST_IDLE = 64


class LenientConnector(aiohttp.TCPConnector):
    """A connector whose connections take heads as browsers do.

    A connection that is being opened holds its fetch's place only for a moment, and no
    more than `MOST_IDLE` are kept.
    """

    # aiohttp has no public way for any of this; tests see that it works.

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(_protocol, loop=self._loop)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,
    ) -> ResponseHandler:
        async with opening():
            return await super()._create_connection(req, traces, timeout)

    def _release(
        self,
        key: ConnectionKey,
        protocol: ResponseHandler,
        *,
        should_close: bool = False,
    ) -> None:
        super()._release(key, protocol, should_close=should_close)
        idle = sum(map(len, self._conns.values()))
        while idle > MOST_IDLE:
            oldest, kept = next(iter(self._conns.items()))
            kept.popleft()[0].close()
            idle -= 1
            if not kept:
                del self._conns[oldest]


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

    def connection_lost(self, exc: BaseException | None) -> None:
        if exc is None and self._end is not None and self._end.lacks:
            super().data_received(self._end.lacks)
        super().connection_lost(exc)

    def _pass_on(self, heads: bytes, body: bytes) -> None:
        own = len(body) if self._end is None else self._end.count(body)
        if own < len(body):
            self.force_close()  # before the parser sees the end, and gives it back
            if not heads and not own and self.transport is not None:
                self.transport.close()  # it was given back
                return
        own_body = body[:own]
        for place in reversed(self._end.bare if self._end is not None else []):
            own_body = own_body[:place] + b"\r" + own_body[place:]
        super().data_received(heads + own_body)

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
