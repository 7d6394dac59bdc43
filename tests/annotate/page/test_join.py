from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.testclient import TestClient

from icf.annotate.page.app import make_app
from icf.annotate.page.desk import TASKS, Desk, open_desk
from icf.annotate.page.join import TRIES, TRIES_IN_ALL
from icf.annotate.page.serving import make_serving
from icf.annotate.people.people import Role, find_person
from icf.annotate.people.sessions import make_invite, revoke
from icf.catalogue.annotation.schema import invite, page_session
from tests.annotate.page.clients import ORIGIN, app_of, signed_in, stranger
from tests.annotate.place import Place


@pytest.fixture
def app(place: Place) -> Starlette:
    return app_of(place.workspace)


def desk_of(app: Starlette) -> Desk:
    desk: Desk = app.state.desk
    return desk


def link_of(app: Starlette, name: str = "Ann") -> str:
    """A new invite link's path."""
    desk = desk_of(app)
    with desk.workspace.catalogue.write() as connection:
        token, _ = make_invite(connection, desk.key, name, Role.ANNOTATOR, 1)
    return f"/join/{token}"


def sessions(app: Starlette) -> int:
    """How many were ever begun."""
    query = sa.select(sa.func.count()).select_from(page_session)
    with desk_of(app).workspace.catalogue.read() as connection:
        return int(connection.execute(query).scalar_one())


def test_a_link_that_is_only_looked_at_begins_nothing(app: Starlette) -> None:
    link = link_of(app)
    for _ in range(5):
        shown = stranger(app).get(link)
        assert "Hello Ann" in shown.text
        assert "set-cookie" not in shown.headers
    assert sessions(app) == 0
    assert stranger(app).post(link).status_code == 303


def test_the_cookie_is_for_this_page_alone_and_no_script_reads_it(
    app: Starlette,
) -> None:
    cookie = stranger(app).post(link_of(app)).headers["set-cookie"]
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not [each for each in parts if each.startswith("domain")]
    assert "secure" not in parts


def test_behind_tls_the_cookie_is_of_tls_alone(place: Place) -> None:
    serving = make_serving("127.0.0.1", (), "https://faces.example")
    app = make_app(open_desk(place.workspace, TASKS), serving)
    origin = "https://faces.example"
    client = TestClient(app, origin, headers={"Origin": origin}, follow_redirects=False)
    cookie = client.post(link_of(app)).headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "; Secure" in cookie
    assert client.get("/me").is_success


def test_two_workspaces_on_one_host_do_not_log_each_other_out(
    app: Starlette, tmp_path: Path
) -> None:
    other = Place(tmp_path / "other")
    assert app_of(other.workspace).state.cookie != app.state.cookie
    other.workspace.catalogue.close()


def test_another_site_cannot_log_anybody_in(app: Starlette) -> None:
    headers = {"Origin": "https://evil.example"}
    refused = stranger(app).post(link_of(app), headers=headers)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers
    assert sessions(app) == 0


def test_a_session_that_somebody_else_chose_is_not_taken_up(app: Starlette) -> None:
    client = stranger(app)
    client.cookies.set(app.state.cookie, "chosen-by-eve", domain="127.0.0.1")
    made = client.post(link_of(app))
    assert made.status_code == 303
    assert "chosen-by-eve" not in made.headers["set-cookie"]
    eve = stranger(app)
    eve.cookies.set(app.state.cookie, "chosen-by-eve", domain="127.0.0.1")
    assert eve.get("/me").status_code == 401


def test_a_new_login_ends_the_session_that_the_browser_had(app: Starlette) -> None:
    client = signed_in(app, "Bob")
    before = client.cookies[app.state.cookie]
    assert client.post(link_of(app)).status_code == 303
    assert "Hello Ann" in client.get("/").text
    copied = stranger(app)
    copied.cookies.set(app.state.cookie, before, domain="127.0.0.1")
    assert copied.get("/").status_code == 401


def test_a_link_opens_on_a_second_device(app: Starlette) -> None:
    link = link_of(app)
    for _ in range(2):
        client = stranger(app)
        assert client.post(link).status_code == 303
        assert "Hello Ann" in client.get("/").text


def test_a_link_that_expired_was_replaced_or_revoked_opens_nothing(
    app: Starlette,
) -> None:
    catalogue = desk_of(app).workspace.catalogue
    expired = link_of(app, "Ann")
    with catalogue.write() as connection:
        connection.execute(sa.update(invite).values(expires_at=time.time() - 1))
    replaced, _ = link_of(app, "Bob"), link_of(app, "Bob")
    revoked = link_of(app, "Cid")
    with catalogue.write() as connection:
        someone = find_person(connection, "Cid")
        assert someone is not None
        revoke(connection, someone)
    for link in (expired, replaced, revoked, "/join/x"):
        for answer in (stranger(app).get(link), stranger(app).post(link)):
            assert answer.status_code == 404
            assert "ask for another one" in answer.text
            assert "set-cookie" not in answer.headers
    assert sessions(app) == 0


def test_a_revoked_person_is_out_at_once(app: Starlette) -> None:
    client = signed_in(app)
    assert client.get("/me").is_success
    with desk_of(app).workspace.catalogue.write() as connection:
        someone = find_person(connection, "Ann")
        assert someone is not None
        revoke(connection, someone)
    assert client.get("/me").status_code == 401
    assert client.post("/api/preferences", json={}).status_code == 401


def test_a_session_ends_after_its_time_and_by_leaving(app: Starlette) -> None:
    old, left = signed_in(app, "Ann"), signed_in(app, "Bob")
    ended = left.post("/leave")
    assert "You are logged out" in ended.text
    assert left.get("/me").status_code == 401
    with desk_of(app).workspace.catalogue.write() as connection:
        connection.execute(sa.update(page_session).values(expires_at=time.time() - 1))
    assert old.get("/me").status_code == 401


def test_tokens_are_on_the_disk_as_keyed_hashes_only(plain: Place) -> None:
    app = app_of(plain.workspace)
    link = link_of(app)
    client = stranger(app)
    client.post(link)
    token, session = link.rpartition("/")[2], client.cookies[app.state.cookie]
    plain.workspace.catalogue.close()
    files = [each for each in plain.workspace.root.rglob("*") if each.is_file()]
    kept = b"".join(each.read_bytes() for each in files)
    assert token.encode() not in kept
    assert session.encode() not in kept
    assert desk_of(app).key.hash_of(token).encode() in kept


# --- guessing ---------------------------------------------------------------------


def from_address(app: Starlette, address: str) -> TestClient:
    """A stranger's browser at an address."""
    return TestClient(
        app,
        ORIGIN,
        headers={"Origin": ORIGIN},
        follow_redirects=False,
        client=(address, 50000),
    )


def test_who_guesses_links_is_soon_not_heard_even_with_a_right_one(
    app: Starlette,
) -> None:
    link = link_of(app)
    guesser = from_address(app, "10.0.0.1")
    for number in range(TRIES):
        assert guesser.get(f"/join/{number}").status_code == 404
    assert guesser.get("/join/x").status_code == 429
    assert guesser.post(link).status_code == 429
    assert from_address(app, "10.0.0.2").post(link).status_code == 303


def test_many_who_guess_together_are_not_heard_either(plain: Place) -> None:
    app = app_of(plain.workspace)
    assert TRIES_IN_ALL % TRIES == 0
    for number in range(TRIES_IN_ALL // TRIES):
        guesser = from_address(app, f"10.0.1.{number}")
        for _ in range(TRIES):
            assert guesser.get("/join/x").status_code == 404
    assert from_address(app, "10.0.0.2").get("/join/x").status_code == 429


def test_tries_count_for_a_while_only(plain: Place) -> None:
    app = app_of(plain.workspace)
    now = [0.0]
    app.state.tries = replace(app.state.tries, now=lambda: now[0])
    link = link_of(app)
    client = stranger(app)
    for _ in range(TRIES):
        client.get("/join/x")
    assert client.get(link).status_code == 429
    now[0] = 601.0
    assert client.get(link).is_success


# --- links from a chat ------------------------------------------------------------


def test_what_a_link_asks_for_is_there_when_the_page_loads_itself_again(
    app: Starlette,
) -> None:
    first = stranger(app).get("/me?album=3&sort=%3Cb%3E")
    assert 'url=/me?album=3&amp;sort=%3Cb%3E&amp;again">' in first.text
    second = stranger(app).get("/me?album=3&sort=%3Cb%3E&again")
    assert "refresh" not in second.text


def test_a_page_without_its_cookie_loads_itself_again_once(app: Starlette) -> None:
    first = stranger(app).get("/me")
    assert first.status_code == 401
    assert '<meta http-equiv="refresh" content="0; url=/me?again">' in first.text
    second = stranger(app).get("/me?again")
    assert second.status_code == 401
    assert "refresh" not in second.text
    assert "Open your invite link again" in second.text


def test_a_page_that_was_opened_before_a_login_gets_its_token(app: Starlette) -> None:
    client = signed_in(app)
    client.headers["X-CSRF-Token"] = "of another session"
    assert client.post("/api/preferences", json={}).status_code == 403
    client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
    assert client.post("/api/preferences", json={}).is_success
