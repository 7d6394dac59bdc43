"""Every route: who may open it, and what it gives away."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.routing import Route

from icf.annotate.people.people import Role
from icf.catalogue.schema import face, image
from tests.annotate.page.clients import app_of, signed_in, stranger
from tests.annotate.pairs.asked import ask_about, current
from tests.annotate.place import Place

#: What somebody without a session may see: looks, scripts, and an invite link.
OPEN = {"/static/{name}", "/join/{token}"}

#: What those without the role may not.
ADMINS = {"/admin", "/api/admin/invite", "/api/admin/pause", "/api/admin/resume"} | {
    "/api/admin/revoke"
}


@pytest.fixture
def app(plain: Place) -> Starlette:
    return app_of(plain.workspace)


def routes(app: Starlette) -> Iterator[tuple[str, str, str]]:
    """The pattern, a path and a method of each route."""
    for route in app.routes:
        assert isinstance(route, Route)
        path = route.path.replace("{task}", "pairs")
        for method in (route.methods or set()) - {"HEAD"}:
            yield route.path, re.sub(r"{\w+}", "x", path), method


def test_no_route_answers_a_stranger(app: Starlette) -> None:
    seen = set()
    for pattern, path, method in routes(app):
        if pattern in OPEN:
            continue
        seen.add(pattern)
        answer = stranger(app).request(
            method, path, json={} if method == "POST" else None
        )
        assert answer.status_code == 401, (method, path)
        assert "set-cookie" not in answer.headers
    assert {"/", "/{task}", "/api/{task}/next", "/api/answers", "/me"} <= seen
    assert seen >= ADMINS


def test_a_cookie_of_nobody_opens_nothing(app: Starlette) -> None:
    for pattern, path, method in routes(app):
        if pattern in OPEN or method != "GET":
            continue
        client = stranger(app)
        client.cookies.set(app.state.cookie, "x" * 43, domain="127.0.0.1")
        assert client.get(path).status_code == 401, path


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_what_is_the_admins_is_refused_to_others(app: Starlette, role: Role) -> None:
    signed_in(app, "Bob")
    client = signed_in(app, role=role)
    seen = set()
    for pattern, path, method in routes(app):
        if "admin" in pattern:
            seen.add(pattern)
            asked = {"name": "Bob"} if method == "POST" else None
            assert client.request(method, path, json=asked).status_code == 403, path
    assert seen == ADMINS
    assert "/admin" not in client.get("/").text


def test_a_task_is_offered_to_its_roles_alone(app: Starlette) -> None:
    desk = app.state.desk
    for role in Role:
        client = signed_in(app, role=role)
        home = client.get("/").text
        for name, kind in desk.tasks.items():
            page = client.get(f"/{name}")
            taken = client.post(f"/api/{name}/next", json={"count": 1})
            allowed = role >= kind.role
            assert (page.status_code == 403) is not allowed, (name, role)
            assert (taken.status_code == 403) is not allowed, (name, role)
            assert (f'href="/{name}"' in home) <= allowed


def test_what_is_shown_names_no_row_path_or_hash(plain: Place) -> None:
    ids = ask_about(plain, 5)
    app = app_of(plain.workspace)
    taken = signed_in(app).post("/api/pairs/next", json={"count": 5})
    tasks = taken.json()["tasks"]
    assert len(tasks) == 5
    handles = {each["id"] for each in tasks}
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in handles)
    text = json.dumps(tasks)
    for handle in handles:
        text = text.replace(handle, "")
    with plain.workspace.catalogue.read() as connection:
        hashes = connection.execute(sa.select(image.c.sha256)).scalars().all()
        faces = connection.execute(sa.select(face.c.id)).scalars().all()
    assert not [each for each in hashes if each in taken.text]
    values = [value for each in tasks for value in each.values()]
    assert not [each for each in values if isinstance(each, (int, float)) and each > 1]
    parts = {
        part for each in re.findall(r'"(/[^"]*)"', text) for part in each.split("/")
    }
    assert not parts & {str(each) for each in (*ids, *faces)}
    assert str(plain.workspace.root) not in text
    assert "probability" not in text


def test_only_who_holds_something_sees_it_and_answers_it(plain: Place) -> None:
    ask_about(plain, 1)
    app = app_of(plain.workspace)
    ann, eve = signed_in(app, "Ann"), signed_in(app, "Eve", Role.ADMIN)
    [task] = ann.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    shown = task["candidate"]
    assert ann.get(shown).headers["Content-Type"] == "image/jpeg"
    assert ann.get(shown).headers["Cache-Control"].startswith("private")
    assert eve.get(shown).status_code == 404
    assert stranger(app).get(shown).status_code == 401

    def answer() -> dict[str, object]:
        return {
            "id": task["id"],
            "client_id": str(uuid.uuid4()),
            "answer": {"choice": "true"},
        }

    [refused] = eve.post("/api/answers", json={"answers": [answer()]}).json()[
        "receipts"
    ]
    assert (refused["stored"], refused["message"]) == (
        False,
        "this was not shown to you",
    )
    assert eve.post("/api/release", json={"ids": [task["id"]]}).is_success
    assert current(plain) == []
    [stored] = ann.post("/api/answers", json={"answers": [answer()]}).json()["receipts"]
    assert stored["stored"]
    assert [name for _, name, _ in current(plain)] == ["Ann"]


@pytest.mark.parametrize(
    "path",
    [
        "/picture/{handle}/..%2f..%2fcandidate.jpg",
        "/picture/{handle}/..%2f..%2f..%2fcatalogue.sqlite.jpg",
        "/picture/%2e%2e/candidate.jpg",
        "/picture/{handle}/sha256.jpg",
        "/picture/' OR 1=1 --/candidate.jpg",
    ],
)
def test_a_picture_is_found_by_its_lease_and_never_by_a_path(
    plain: Place, path: str
) -> None:
    ask_about(plain, 1)
    client = signed_in(app_of(plain.workspace))
    [task] = client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    assert client.get(path.format(handle=task["id"])).status_code == 404


def test_names_are_shown_as_text_whatever_is_in_them(app: Starlette) -> None:
    name = "<script>alert(1)</script>\"'&"
    client = signed_in(app, name, Role.ADMIN)
    for path in ("/", "/me", "/admin"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_pages_have_no_script_or_style_of_their_own(app: Starlette) -> None:
    client = signed_in(app, role=Role.ADMIN)
    tasks = [f"/{name}" for name in app.state.desk.tasks]
    for path in ("/", "/me", "/admin", "/nowhere", *tasks):
        html = client.get(path).text
        assert "<html" in html
        assert not re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\son\w+=", html)
        assert not re.findall(r"\sstyle=|javascript:|https?://", html)


def test_a_paused_person_gets_nothing(plain: Place) -> None:
    ask_about(plain, 1)
    client = signed_in(app_of(plain.workspace))
    assert client.post("/api/pause", json={"paused": True}).is_success
    taken = client.post("/api/pairs/next", json={"count": 1}).json()
    assert taken == {"tasks": [], "paused": "the person wanted a pause"}
    assert client.post("/api/pause", json={"paused": False}).is_success
    assert client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]


def test_an_answer_that_cannot_be_stored_is_refused_alone(plain: Place) -> None:
    ask_about(plain, 2)
    client = signed_in(app_of(plain.workspace), "Ann")
    tasks = client.post("/api/pairs/next", json={"count": 2}).json()["tasks"]
    half, good = (
        {"id": each["id"], "client_id": str(n), "answer": {"choice": "true"}}
        for n, each in enumerate(tasks)
    )
    long = {**good, "seconds": 10**400, "at": 10**400}
    sent = [{**half, "client_id": "\ud800"}, {**half, "id": "\0"}, long]
    body = json.dumps({"answers": sent})
    receipts = client.post("/api/answers", content=body).json()["receipts"]
    assert [each["stored"] for each in receipts] == [False, False, True]
    assert receipts[0]["message"] == "the answer has a character that cannot be stored"
    assert [name for _, name, _ in current(plain)] == ["Ann"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/heartbeat", {"ids": ["\ud800"]}),
        ("/api/release", {"ids": ["\0"]}),
        ("/api/pairs/next", {"count": 1, "part": {"a": ["\ud800"]}}),
        ("/api/admin/invite", {"name": "\ud800"}),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(
    app: Starlette, path: str, body: dict[str, object]
) -> None:
    client = signed_in(app, role=Role.ADMIN)
    assert client.post(path, content=json.dumps(body)).status_code == 400


def test_what_a_paused_person_held_is_free_for_others_at_once(plain: Place) -> None:
    ask_about(plain, 1)
    app = app_of(plain.workspace)
    ann, bob = signed_in(app, "Ann"), signed_in(app, "Bob")
    [held] = ann.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    assert bob.post("/api/pairs/next", json={"count": 1}).json()["tasks"] == []
    assert ann.post("/api/pause", json={"paused": True}).is_success
    assert len(bob.post("/api/pairs/next", json={"count": 1}).json()["tasks"]) == 1
    late = {"id": held["id"], "client_id": "late", "answer": {"choice": "true"}}
    [receipt] = ann.post("/api/answers", json={"answers": [late]}).json()["receipts"]
    assert receipt["stored"]
