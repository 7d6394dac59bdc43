from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from icf.annotate.page import serve
from icf.annotate.page.app import make_app
from icf.annotate.page.desk import TASKS, open_desk
from icf.annotate.page.guard import MOST_BYTES, Guard
from icf.annotate.page.remembered import Remembered
from icf.annotate.page.serving import Serving, make_serving
from icf.annotate.people.people import Person, Role
from icf.annotate.people.tokens import SecretKey
from icf.annotate.tasks.base import Task
from tests.annotate.page.clients import ORIGIN, app_of, signed_in, stranger
from tests.annotate.page.waiting import comes_true
from tests.annotate.place import Place
from tests.integration.postgres import postgres

SET = "/api/preferences"
DARK = {"theme": "dark"}


@pytest.fixture
def app(plain: Place) -> Starlette:
    return app_of(plain.workspace)


def theme(client: TestClient) -> str:
    """What was stored until now."""
    return str(client.get(SET).json()["theme"])


# --- the name of the host ---------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "0"],
)
def test_a_name_that_is_made_to_lead_here_gets_nothing(
    app: Starlette, host: str
) -> None:
    refused = signed_in(app).get(SET, headers={"Host": host})
    assert refused.status_code == 400
    assert "theme" not in refused.text


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1", "[::1]:8765"])
def test_this_machine_is_served_under_its_own_names(app: Starlette, host: str) -> None:
    assert stranger(app).get("/static/page.css", headers={"Host": host}).is_success


def test_a_number_is_taken_beyond_loopback_alone() -> None:
    assert not Serving("127.0.0.1").takes_host("192.168.1.7:8765")
    assert Serving("0.0.0.0").takes_host("192.168.1.7:8765")
    assert not Serving("0.0.0.0").takes_host("evil.example")


def test_names_that_were_allowed_are_taken() -> None:
    serving = make_serving("127.0.0.1", ("Faces.lan",), "https://faces.example")
    assert serving.takes_host("faces.lan:8765")
    assert serving.takes_host("faces.example")
    assert serving.takes_origin("https://faces.example", "faces.example")
    assert not serving.takes_origin("https://faces.lan", "faces.lan")


# --- requests that change something -----------------------------------------------


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"],
)
def test_another_site_changes_nothing_even_with_the_token(
    app: Starlette, origin: str
) -> None:
    client = signed_in(app)
    assert client.post(SET, json=DARK, headers={"Origin": origin}).status_code == 403
    assert theme(client) == "system"


def test_a_request_without_an_origin_changes_nothing(app: Starlette) -> None:
    client = signed_in(app)
    del client.headers["Origin"]
    assert client.post(SET, json=DARK).status_code == 403
    assert theme(client) == "system"


def test_a_request_without_the_token_of_its_session_changes_nothing(
    app: Starlette,
) -> None:
    client, other = signed_in(app), signed_in(app, "Bob")
    for token in ("", "x", other.headers["X-CSRF-Token"], "\u00ff"):
        refused = client.post(
            SET, json=DARK, headers={b"X-CSRF-Token": token.encode("latin-1")}
        )
        assert refused.status_code == 403
    bodies: list[object] = [{**DARK, "csrf": ""}, {**DARK, "csrf": 1}, [], "text"]
    for body in bodies:
        client.headers.pop("X-CSRF-Token", None)
        assert client.post(SET, json=body).status_code == 403
    assert theme(client) == "system"


def test_the_token_may_be_in_the_body_as_beacons_have_it(app: Starlette) -> None:
    client = signed_in(app)
    token = client.headers.pop("X-CSRF-Token")
    body = json.dumps({**DARK, "csrf": token})
    sent = client.post(SET, content=body, headers={"Content-Type": "text/plain"})
    assert sent.is_success
    assert theme(client) == "dark"
    half = json.dumps({**DARK, "csrf": "\ud800"})
    wrong = client.post(SET, content=half, headers={"Content-Type": "text/plain"})
    assert wrong.status_code == 403


def test_the_token_may_be_a_field_of_a_form(app: Starlette) -> None:
    client = signed_in(app)
    token = client.headers.pop("X-CSRF-Token")
    assert client.post("/leave", data={"csrf": "x"}).status_code == 403
    assert client.post("/leave", data={"csrf": token}).is_success
    assert client.get(SET).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_there_are_no_other_methods(app: Starlette, method: str) -> None:
    assert signed_in(app).request(method, SET).status_code == 405


# --- sizes ------------------------------------------------------------------------


def test_a_body_that_is_too_long_is_refused(app: Starlette) -> None:
    client = signed_in(app)
    body = b'{"theme": "dark"}' + b" " * MOST_BYTES
    assert client.post(SET, content=body).status_code == 413

    def pieces() -> Iterator[bytes]:
        # Nobody says how long it is.
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    assert client.post(SET, content=pieces()).status_code == 413
    assert theme(client) == "system"


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent: list[Message] = []

    async def nothing_comes() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    key = SecretKey(b"k" * 32)
    guard = Guard(never, key, Serving(), "cookie", lambda *_: never, patience=0.01)
    host = "127.0.0.1:8765"
    headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]
    scope = {"type": "http", "method": "POST", "path": SET, "headers": headers}
    asyncio.run(guard(scope, nothing_comes, send))
    assert sent[0]["status"] == 408


async def _never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError


def _half_posted(receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
    """A request whose body comes from ``receive``."""
    key = SecretKey(b"k" * 32)
    guard = Guard(_never, key, Serving(), "cookie", lambda *_: _never)
    host = b"127.0.0.1:8765"
    headers = [(b"host", host), (b"origin", b"http://" + host)]
    scope = {"type": "http", "method": "POST", "path": SET, "headers": headers}
    return guard(scope, receive, send)


def test_a_browser_that_goes_away_gets_no_answer_and_no_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"{", "more_body": True},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(_half_posted(receive, send))
    assert sent == []
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_half_sent_body_does_not_break_the_end_of_the_server(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serve, "_LAST_REQUESTS", 0)
    is_ready = threading.Event()
    server = serve.make_server(app, Serving(), is_ready.set)
    with serve.open_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert is_ready.wait(60)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            host = f"127.0.0.1:{port}"
            head = f"POST {SET} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            client.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            assert comes_true(lambda: bool(server.server_state.tasks))
            server.should_exit = True
            thread.join()
            assert client.recv(4096).startswith(b"HTTP/1.1 503 ")
    assert "Traceback" not in caplog.text
    assert "Exception in ASGI" not in caplog.text


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"", b"1", b"{"])
def test_a_body_that_is_no_json_object_is_refused(app: Starlette, body: bytes) -> None:
    assert signed_in(app).post(SET, content=body).status_code == 400


# --- what goes out ----------------------------------------------------------------


def _fail() -> NoReturn:
    raise RuntimeError("the catalogue of /home/ann/secret is broken")


class _Broken:
    """A task that fails in everything."""

    name: ClassVar[str] = "pairs"
    role: ClassVar[Role] = Role.ANNOTATOR

    def take(self, person: Person, count: int) -> list[Task]:
        _fail()

    def waiting(self, person: Person) -> int:
        _fail()


@pytest.fixture
def broken(plain: Place) -> Starlette:
    """A server with a task and a page that fail."""
    desk = open_desk(plain.workspace, TASKS)
    app = make_app(replace(desk, tasks={"pairs": _Broken()}))
    app.state.overview = Remembered(_fail, 1.0)
    return app


def test_what_breaks_says_nothing_of_itself(
    broken: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed_in(broken, role=Role.ADMIN)
    for failed in (client.post("/api/pairs/next", json={}), client.get("/admin")):
        assert failed.status_code == 500
        assert "secret" not in failed.text
        assert "Traceback" not in failed.text
    assert "/home/ann/secret is broken" in caplog.text


@pytest.mark.slow
def test_a_database_that_stops_is_a_line_a_request_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres() as url:
        place = Place(tmp_path / "space", (f"catalogue.url={url}",))
        client = signed_in(app_of(place.workspace))
        assert client.get(SET).is_success
    caplog.clear()
    # Browsers send again what is answered with 500 or more.
    answers = [client.get(SET), client.post("/api/answers", json={}), client.get("/me")]
    assert [each.status_code for each in answers] == [503] * 3
    assert "try again" in answers[0].json()["error"]
    assert "postgres" not in "".join(each.text for each in answers)
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each.levelname for each in lines] == ["WARNING"] * 3
    assert "GET /api/... failed: the catalogue postgresql" in lines[0].getMessage()
    assert not any(each.exc_info or "\n" in each.getMessage() for each in lines)
    place.workspace.catalogue.close()


def test_every_answer_has_the_headers_that_keep_others_out(broken: Starlette) -> None:
    client = signed_in(broken, role=Role.ADMIN)
    answers = [
        client.get(SET),
        client.get("/admin"),
        client.get("/"),
        client.get("/static/page.css"),
        client.get("/nowhere"),
        stranger(broken).get("/"),
        client.post(SET, json=DARK, headers={"Origin": "null"}),
        client.post(SET, json={"theme": "pink"}),
        client.put(SET),
        client.get("/", headers={"Host": "evil.example"}),
        client.get("/join/x"),
    ]
    assert {each.status_code for each in answers} == {200, 400, 401, 403, 404, 405, 500}
    for each in answers:
        policy = each.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Referrer-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in each.headers
        assert "server" not in each.headers


def test_nothing_about_people_is_kept_by_a_browser_or_proxy(app: Starlette) -> None:
    client = signed_in(app)
    for path in (SET, "/", "/api/session", "/me", "/join/x"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_lines_of_the_log_have_no_token_handle_or_name(
    app: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "icf.annotate.page")
    client = signed_in(app, "Ann Secret")
    client.get("/join/token-of-a-link")
    client.get("/picture/handle-of-a-lease/candidate.jpg")
    client.get(SET)
    client.get("/me?name=Secret")
    client.get("/a%0Aforged%20line")
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "GET /join/... 404" in said
    assert "GET /api/... 200" in said
    session = client.cookies[app.state.cookie]
    csrf = client.headers["X-CSRF-Token"]
    secrets = ("token-of-a-link", "handle-of", session, csrf, "Secret", "forged")
    assert not [each for each in secrets if each in said]


def test_no_address_leads_to_another_site(app: Starlette) -> None:
    for path in ("//evil.example", "//evil.example/", "/me//evil.example", "/\\evil"):
        for client in (stranger(app), signed_in(app)):
            found = client.get(ORIGIN + path)
            assert "evil" not in found.headers.get("Location", "")
            assert "url=//" not in found.text
