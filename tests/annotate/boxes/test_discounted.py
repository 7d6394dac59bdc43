"""Boxes of a person who is discounted: those drawn before, and those drawn later."""

from __future__ import annotations

import pytest

from icf.annotate.boxes.record import BoxAnswer, insert_answer
from icf.annotate.people.people import Role, pause
from icf.catalogue.annotation.pauses import LOW_SCORE
from tests.annotate.boxes.pictures import A, Pictures, boxed, drew
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.test_cli import call, run


@pytest.fixture
def key(plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> int:
    """A picture of which ann and bob agree."""
    monkeypatch.chdir(plain_pictures.place.workspace.root)
    found = plain_pictures.add()
    box(plain_pictures, "ann")
    box(plain_pictures, "bob")
    assert plain_pictures.status(found) == "verified"
    return found


def box(pictures: Pictures, name: str) -> None:
    """Let somebody draw `A` on the next picture."""
    someone = pictures.person(name)
    [task] = pictures.task().take(someone, 1)
    assert pictures.answer(someone, task, boxed(A)).refused is None


def test_a_picture_is_open_again_until_another_one_agrees(
    plain_pictures: Pictures, key: int
) -> None:
    found, _ = run("discount", "ann")
    assert (found["boxed"], found["pictures"]) == (1, 1)
    assert plain_pictures.status(key) == "open"
    assert plain_pictures.verified(key) == []
    box(plain_pictures, "cat")
    assert plain_pictures.status(key) == "verified"
    out, _ = call("discount", "ann", "--undo")
    assert "pictures whose boxes by ann count again" in out


def test_who_drew_boxes_in_a_file_alone_is_listed_and_discounted(
    plain_pictures: Pictures, key: int
) -> None:
    given = BoxAnswer(key, "eve", drew(A), shown=False, answered_at=1.0, file="a.json")
    with plain_pictures.catalogue.write() as connection:
        insert_answer(connection, given)
    people, _ = run("people")
    states = {each["name"]: (each["state"], each["answers"]) for each in people}
    assert states["eve"] == ("by file", 0)
    assert run("discount", "eve")[0]["boxed"] == 1


def test_two_people_are_asked_where_nobody_is_left(
    plain_pictures: Pictures, key: int
) -> None:
    run("discount", "ann")
    run("discount", "bob")
    for name in ("cat", "dan"):
        assert plain_pictures.task().take(plain_pictures.person(name), 1)
    assert not plain_pictures.task().take(plain_pictures.person("eve"), 1)


def test_new_boxes_do_not_count_either(plain_pictures: Pictures, key: int) -> None:
    person = plain_pictures.person("ann")
    other = plain_pictures.add()
    [task] = plain_pictures.task().take(person, 1)
    run("discount", "ann")
    assert plain_pictures.answer(person, task, boxed(A)).refused is None
    box(plain_pictures, "cat")
    assert plain_pictures.status(other) == "open"


def test_an_admin_who_resumes_lets_boxes_count_again(
    plain_pictures: Pictures, key: int
) -> None:
    run("discount", "ann")
    admin = signed_in(app_of(plain_pictures.place.workspace), "Ada", Role.ADMIN)
    assert admin.post("/api/admin/resume", json={"name": "ann"}).is_success
    assert plain_pictures.status(key) == "verified"


def test_a_low_score_says_nothing_of_boxes(plain_pictures: Pictures, key: int) -> None:
    ann = plain_pictures.person("ann")
    with plain_pictures.catalogue.write() as connection:
        pause(connection, ann, LOW_SCORE)
    run("labels")
    assert plain_pictures.status(key) == "verified"
