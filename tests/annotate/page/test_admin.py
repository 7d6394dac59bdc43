from __future__ import annotations

import pytest
from starlette.applications import Starlette

from icf.annotate.page.admin import INVITES
from icf.annotate.page.serve import remember_address
from icf.annotate.page.serving import Serving
from icf.annotate.people.people import BY_ADMIN, Role
from tests.annotate.page.clients import app_of, signed_in, stranger
from tests.annotate.place import Place


@pytest.fixture
def app(place: Place) -> Starlette:
    return app_of(place.workspace)


def test_an_invite_made_on_the_page_leads_to_where_it_is_served(
    place: Place, app: Starlette
) -> None:
    remember_address(place.workspace.root, "http://127.0.0.1:4321")
    admin = signed_in(app, "Ada", Role.ADMIN)
    asked = {"name": " Bob\u200b  Brown ", "role": "reviewer", "days": 2}
    made = admin.post("/api/admin/invite", json=asked).json()
    assert (made["name"], made["role"]) == ("Bob Brown", "reviewer")
    start, token = made["url"].split("/join/")
    assert start == "http://127.0.0.1:4321"
    bob = stranger(app)
    assert bob.post(f"/join/{token}").status_code == 303
    assert "Hello Bob Brown" in bob.get("/").text


def test_an_invite_leads_to_where_the_admin_is_unless_that_is_the_same_machine(
    plain: Place,
) -> None:
    remember_address(plain.workspace.root, "http://127.0.0.1:4321")
    admin = signed_in(app_of(plain.workspace, Serving("0.0.0.0")), "Ada", Role.ADMIN)

    def start(host: str) -> str:
        said = {"Host": host, "Origin": f"http://{host}"}
        made = admin.post("/api/admin/invite", json={"name": "Bob"}, headers=said)
        return str(made.json()["url"]).partition("/join/")[0]

    assert start("192.168.1.7:4321") == "http://192.168.1.7:4321"
    assert start("localhost:4321") == "http://127.0.0.1:4321"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 1},
        {"name": "x" * 501},
        {"name": "Bob", "role": "king"},
        {"name": "Bob", "role": ["admin"]},
        {"name": "Bob", "days": 0},
        {"name": "Bob", "days": 1e9},
        {"name": "Bob", "days": "7"},
        {"name": "Bob", "days": True},
    ],
)
def test_an_invite_that_makes_no_sense_is_refused(
    app: Starlette, body: dict[str, object]
) -> None:
    admin = signed_in(app, "Ada", Role.ADMIN)
    assert admin.post("/api/admin/invite", json=body).status_code == 400
    assert "Bob" not in admin.get("/admin").text


def test_invites_are_made_at_a_human_pace(plain: Place) -> None:
    admin = signed_in(app_of(plain.workspace), "Ada", Role.ADMIN)
    for number in range(INVITES):
        asked = {"name": f"person {number}"}
        assert admin.post("/api/admin/invite", json=asked).is_success
    assert admin.post("/api/admin/invite", json={"name": "x"}).status_code == 429


def test_an_admin_pauses_resumes_and_revokes(app: Starlette) -> None:
    admin, bob = signed_in(app, "Ada", Role.ADMIN), signed_in(app, "Bob")
    assert admin.post("/api/admin/pause", json={"name": "Bob"}).is_success
    assert BY_ADMIN in bob.get("/me").text
    assert ">paused<" in admin.get("/admin").text
    assert admin.post("/api/admin/resume", json={"name": "Bob"}).is_success
    assert BY_ADMIN not in bob.get("/me").text
    assert admin.post("/api/admin/revoke", json={"name": "Bob"}).is_success
    assert bob.get("/me").status_code == 401
    assert ">revoked<" in admin.get("/admin").text


@pytest.mark.parametrize("name", ["Nobody", "", None, 1, ["Bob"]])
def test_nobody_is_changed_who_is_not_there(app: Starlette, name: object) -> None:
    admin = signed_in(app, "Ada", Role.ADMIN)
    for action in ("pause", "resume", "revoke"):
        gone = admin.post(f"/api/admin/{action}", json={"name": name})
        assert gone.status_code == 404
