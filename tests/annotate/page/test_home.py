from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.people.people import Role
from icf.catalogue.annotation.schema import page_session
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place


def test_each_task_says_how_much_waits(place: Place) -> None:
    ask_about(place, 3)
    client = signed_in(app_of(place.workspace))
    assert 'data-waiting="pairs"' in client.get("/").text
    assert client.get("/api/pairs/waiting").json() == {"waiting": 3}


def test_what_is_not_for_a_person_has_no_number(plain: Place) -> None:
    app = app_of(plain.workspace)
    client, expert = signed_in(app), signed_in(app, "Eve", Role.REVIEWER)
    assert client.get("/api/review/waiting").status_code == 404
    assert client.get("/api/nothing/waiting").status_code == 404
    assert expert.get("/api/review/waiting").json() == {"waiting": 0}


def test_it_is_noted_when_a_session_is_used(place: Place) -> None:
    app = app_of(place.workspace)
    client = signed_in(app)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(page_session).values(seen_at=1.0))
    client.get("/")
    with place.workspace.catalogue.read() as connection:
        assert connection.execute(sa.select(page_session.c.seen_at)).scalar_one() > 1.0
