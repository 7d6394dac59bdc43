from __future__ import annotations

import math
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.page import background
from icf.annotate.page.background import Background
from icf.annotate.pairs.questions import QuestionSource
from icf.catalogue.annotation.schema import lease
from icf.errors import BrokenMachine
from icf.workspace import Workspace
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.page.waiting import at_work, comes_true
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place


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
        assert comes_true(lambda: plain.labels() == {one: "different"})


def test_what_a_killed_server_left_is_done_first(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    send(place, QuestionSource(), ann, [sent(lease_of(place, ann, one).handle)])
    with at_work(place):
        assert comes_true(lambda: place.labels() == {one: "same"})


def test_what_is_stored_as_the_server_stops_becomes_a_label(place: Place) -> None:
    [one] = ask_about(place, 1)
    made = Background(place.workspace)
    made.start()
    ann = person(place)
    send(place, QuestionSource(), ann, [sent(lease_of(place, ann, one).handle)])
    made.stop()
    assert place.labels() == {one: "same"}
    assert "icf-annotate background" not in {t.name for t in threading.enumerate()}


@pytest.mark.parametrize(
    "error", [BrokenMachine("disk full"), ValueError("nobody foresaw it")]
)
@pytest.mark.parametrize("what", ["begin_run", "_apply"])
def test_what_fails_once_is_tried_again(
    plain: Place, monkeypatch: pytest.MonkeyPatch, what: str, error: Exception
) -> None:
    monkeypatch.setattr(background, "FAILED", 0.0)
    owner = Workspace if what == "begin_run" else Background
    works = getattr(owner, what)
    failed: list[str] = []

    def fails_first(*args: Any) -> Any:
        if not failed:
            failed.append(what)
            raise error
        return works(*args)

    [one] = ask_about(plain, 1)
    ann = person(plain)
    send(plain, QuestionSource(), ann, [sent(lease_of(plain, ann, one).handle)])
    monkeypatch.setattr(owner, what, fails_first)
    with at_work(plain):
        assert comes_true(lambda: plain.labels() == {one: "same"})
    assert failed == [what]


def test_what_fails_each_time_keeps_nothing_else_from_being_done(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> Any:
        raise ValueError("each time")

    monkeypatch.setattr(background, "FAILED", 0.0)
    monkeypatch.setattr(Background, "_apply", fails)
    done = threading.Event()
    monkeypatch.setattr("icf.annotate.tasks.leases.sweep", lambda _: done.set())
    with at_work(plain):
        assert done.wait(60)


def test_trouble_that_lasts_is_said_once_and_its_end(
    plain: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    apply = Background._apply
    tries: list[int] = []

    def fails_five_times(self: Background, run_id: int) -> int:
        tries.append(run_id)
        if len(tries) <= 5:
            raise BrokenMachine("the catalogue does not answer")
        return apply(self, run_id)

    monkeypatch.setattr(background, "INTERVAL", 0.0)
    monkeypatch.setattr(background, "SAY", math.inf)
    monkeypatch.setattr(Background, "_apply", fails_five_times)
    with at_work(plain):
        assert comes_true(lambda: len(tries) > 9)
    said = [each.getMessage() for each in caplog.records]
    assert [each for each in said if each.startswith("what follows")] == [
        "what follows from answers must wait: the catalogue does not answer",
        "what follows from answers goes on",
    ]


def test_questions_are_asked_where_few_are_left(plain: Place) -> None:
    ann = plain.add_character()
    plain.add_face(ann, 0.5)
    with at_work(plain):
        assert comes_true(lambda: len(plain.question_ids()) == 1)


def test_leases_that_ran_out_are_ended(plain: Place) -> None:
    [one] = ask_about(plain, 1)
    lease_of(plain, person(plain), one)
    with plain.workspace.catalogue.write() as connection:
        connection.execute(sa.update(lease).values(until=1.0))

    def is_ended() -> bool:
        with plain.workspace.catalogue.read() as connection:
            return connection.execute(sa.select(lease.c.ended_at)).scalar() == 1.0

    with at_work(plain):
        assert comes_true(is_ended)
