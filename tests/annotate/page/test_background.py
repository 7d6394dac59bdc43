from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import sqlalchemy as sa

from icf.annotate.page.background import Background
from icf.annotate.pairs.questions import QuestionSource
from icf.catalogue.annotation.schema import lease
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, however long it takes."""
    while not holds():
        time.sleep(0.01)


def test_labels_follow_the_answers_of_the_page(plain: Place) -> None:
    [one] = ask_about(plain, 1)
    with signed_in(app_of(plain.workspace)) as client:
        [task] = client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
        answer = {
            "id": task["id"],
            "client_id": uuid.uuid4().hex,
            "answer": {"choice": "false"},
        }
        said = client.post("/api/answers", json={"answers": [answer]}).json()
        assert said["receipts"][0]["stored"]
        until(lambda: plain.labels() == {one: "different"})


def test_what_a_killed_server_left_is_done_first(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    send(place, QuestionSource(), ann, [sent(lease_of(place, ann, one).handle)])
    background = Background(place.workspace)
    background.start()
    until(lambda: place.labels() == {one: "same"})
    background.stop()


def test_what_is_stored_as_the_server_stops_becomes_a_label(place: Place) -> None:
    [one] = ask_about(place, 1)
    background = Background(place.workspace)
    background.start()
    ann = person(place)
    send(place, QuestionSource(), ann, [sent(lease_of(place, ann, one).handle)])
    background.stop()
    assert place.labels() == {one: "same"}
    assert "icf-annotate background" not in {t.name for t in threading.enumerate()}


def test_questions_are_asked_where_few_are_left(plain: Place) -> None:
    ann = plain.add_character()
    plain.add_face(ann, 0.5)
    background = Background(plain.workspace)
    background.start()
    until(lambda: len(plain.question_ids()) == 1)
    background.stop()


def test_leases_that_ran_out_are_ended(plain: Place) -> None:
    [one] = ask_about(plain, 1)
    lease_of(plain, person(plain), one)
    with plain.workspace.catalogue.write() as connection:
        connection.execute(sa.update(lease).values(until=1.0))

    def is_ended() -> bool:
        with plain.workspace.catalogue.read() as connection:
            return connection.execute(sa.select(lease.c.ended_at)).scalar() == 1.0

    background = Background(plain.workspace)
    background.start()
    until(is_ended)
    background.stop()
