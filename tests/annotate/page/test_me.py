from __future__ import annotations

import pytest
from starlette.applications import Starlette

from icf.annotate.page.me import ACTIONS
from icf.annotate.people.people import BY_ADMIN, find_person, pause
from icf.annotate.people.preferences import DEFAULT_KEYS
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.place import Place


@pytest.fixture
def app(place: Place) -> Starlette:
    return app_of(place.workspace)


def test_every_key_has_words() -> None:
    assert ACTIONS.keys() == DEFAULT_KEYS.keys()


def test_what_a_person_chose_is_kept_for_the_person_alone(app: Starlette) -> None:
    ann, bob = signed_in(app, "Ann"), signed_in(app, "Bob")
    chosen = ann.post(
        "/api/preferences", json={"keys": {"same": "D"}, "theme": "dark"}
    ).json()
    assert (chosen["keys"]["same"], chosen["theme"]) == ("d", "dark")
    assert ann.get("/api/preferences").json() == chosen
    assert 'data-theme="dark"' in ann.get("/me").text
    assert bob.get("/api/preferences").json()["keys"] == dict(DEFAULT_KEYS)


def test_a_refused_choice_is_said_in_words_and_changes_nothing(app: Starlette) -> None:
    client = signed_in(app)
    refused = client.post("/api/preferences", json={"keys": {"same": "j"}})
    assert refused.status_code == 400
    assert "cannot be both 'same' and 'different'" in refused.json()["error"]
    assert client.get("/api/preferences").json()["keys"] == dict(DEFAULT_KEYS)


def test_nobody_ends_a_pause_that_others_made(place: Place, app: Starlette) -> None:
    client = signed_in(app)
    with place.workspace.catalogue.write() as connection:
        someone = find_person(connection, "Ann")
        assert someone is not None
        pause(connection, someone, BY_ADMIN)
    refused = client.post("/api/pause", json={"paused": False})
    assert refused.status_code == 403
    assert "ask an admin" in refused.json()["error"]
    assert BY_ADMIN in client.get("/me").text
    # Nor by a pause of one's own in between.
    assert client.post("/api/pause", json={"paused": True}).is_success
    assert client.post("/api/pause", json={"paused": False}).status_code == 403


def test_a_pause_that_others_make_takes_the_place_of_ones_own(
    place: Place, app: Starlette
) -> None:
    client = signed_in(app)
    assert client.post("/api/pause", json={"paused": True}).is_success
    with place.workspace.catalogue.write() as connection:
        someone = find_person(connection, "Ann")
        assert someone is not None
        pause(connection, someone, BY_ADMIN)
    assert client.post("/api/pause", json={"paused": False}).status_code == 403


@pytest.mark.parametrize("body", [{}, {"paused": "true"}, {"paused": 1}])
def test_a_pause_is_wanted_or_not(app: Starlette, body: dict[str, object]) -> None:
    assert signed_in(app).post("/api/pause", json=body).status_code == 400
