"""What every request passes before a handler sees it, and every answer after it.

A request must name a host that is served, and be of a bounded size. If it changes
something it must come from a page of this server and carry its session's CSRF token: in
the header ``X-CSRF-Token``, or as ``csrf`` in the body, for forms and `sendBeacon`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from icf.annotate.page.serving import Serving
from icf.annotate.people.tokens import SecretKey
from icf.errors import IcfError

_log = logging.getLogger(__name__)

#: Bytes of a request's body.
MOST_BYTES = 2_000_000
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
#: ``same-origin``, not ``no-referrer``: with that, browsers send ``Origin: null`` with
#: forms, and nothing could be told from it. No other site sees an address either way.
_ON_EVERY_ANSWER = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: Where there is no session yet.
_WITHOUT_SESSION = ("/join/",)


@dataclass(frozen=True)
class Guard:
    """An ASGI application around another one.

    Attributes:
        app: what answers requests that pass.
        key: of the workspace's page.
        serving: under which names it is served.
        cookie: the name of the session's cookie.
        failed: makes the answer to a request whose handler broke, with a status.
        patience: seconds that a body may take to come.
    """

    app: ASGIApp
    key: SecretKey
    serving: Serving
    cookie: str
    failed: Callable[[Scope, int], ASGIApp]
    patience: float = 30.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        started = False

        async def finish(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message)
                _write_line(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            await self._check(scope, receive, finish)
        except ClientDisconnect:
            _log.info("%s %s: the browser went away", scope["method"], _shown(scope))
        except asyncio.CancelledError:
            # The server ends, and waits for this no longer. Of an answer that began,
            # the browser sees that it ends too early.
            if not started:
                await _refusal(503, "the server ends")(scope, receive, finish)

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or let the application answer it."""
        headers = Headers(scope=scope)
        body: bytes | None = None
        refusal = self._refuse(scope["method"], headers)
        if refusal is None and scope["method"] == "POST":
            try:
                body = await asyncio.wait_for(_read(receive), self.patience)
            except asyncio.TimeoutError:
                refusal = 408, "the rest of this did not come"
            else:
                refusal = self._refuse_body(scope["path"], headers, body)
        if refusal is not None:
            await _refusal(*refusal)(scope, receive, send)
            return
        await self._answer(
            scope, receive if body is None else _again(body, receive), send
        )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer; what goes wrong is said in the log alone."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except IcfError as error:
            why = " ".join(str(error).split())
            _log.warning("%s %s failed: %s", scope["method"], _shown(scope), why)
            if not started:
                await self.failed(scope, 503)(scope, receive, send)
        except Exception:
            _log.exception("a request failed: %s %s", scope["method"], _shown(scope))
            if started:
                # The browser sees that the answer ends too early.
                raise
            await self.failed(scope, 500)(scope, receive, send)

    def _refuse(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self.serving.takes_host(host):
            return 400, "this name is not served here: see --allow-host"
        if method in ("GET", "HEAD"):
            return None
        if method != "POST":
            return 405, "there is no such method"
        origin = headers.get("origin", "")
        if not self.serving.takes_origin(origin, host):
            return 403, "this did not come from the page"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return 413, "too much at once"
        return None

    def _refuse_body(
        self, path: str, headers: Headers, body: bytes | None
    ) -> tuple[int, str] | None:
        if body is None:
            return 413, "too much at once"
        if not self._has_token(path, headers, body):
            return 403, "this page is out of date: load it again"
        return None

    def _has_token(self, path: str, headers: Headers, body: bytes) -> bool:
        session = cookie_parser(headers.get("cookie", "")).get(self.cookie)
        if not session or path.startswith(_WITHOUT_SESSION):
            # A handler that needs a session says so itself.
            return True
        given = headers.get(CSRF_HEADER) or _field(headers, body)
        expected = self.key.csrf_token(session)
        # JSON may hold halves of characters, which have no bytes of their own.
        return hmac.compare_digest(
            given.encode(errors="surrogatepass"), expected.encode()
        )


def _field(headers: Headers, body: bytes) -> str:
    """The token in a form or in JSON; an empty text: there is none."""
    found: Any = None
    kind = headers.get("content-type", "").partition(";")[0]
    try:
        if kind == "application/x-www-form-urlencoded":
            found = parse_qs(body.decode()).get(CSRF_FIELD, [""])[0]
        else:
            made = json.loads(body)
            found = made.get(CSRF_FIELD) if isinstance(made, dict) else None
    except (ValueError, RecursionError):
        pass
    return found if isinstance(found, str) else ""


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None: it is too long.

    Raises:
        ClientDisconnect: the browser is gone.
    """
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(pieces)


def _again(body: bytes, rest: Receive) -> Receive:
    """What gives a body that was read to the next reader."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return left.pop() if left else await rest()

    return receive


def _refusal(status: int, why: str) -> PlainTextResponse:
    # The rest of a body that was not read must not be taken for the next request.
    return PlainTextResponse(why, status, {"Connection": "close"})


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _ON_EVERY_ANSWER.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    millis = seconds * 1000
    _log.info("%s %s %d %.0f ms", scope["method"], _shown(scope), status, millis)


def _shown(scope: Scope) -> str:
    """The start of a request's path: never a token, a handle or a name."""
    first, slash, _ = scope["path"].lstrip("/").partition("/")
    shown = f"/{first[:40]}/..." if slash else f"/{first[:40]}"
    return shown if shown.isascii() and shown.isprintable() else "/?"
