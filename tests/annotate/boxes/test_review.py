from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.boxes.review import BoxReviewTask
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.annotation.schema import box_answer
from tests.annotate.boxes.pictures import RULE, A, B, Pictures, boxed

C = (100.0, 100.0, 150.0, 150.0)
CANNOT: dict[str, Any] = {"verdict": "cannot_tell", "boxes": []}


def review(pictures: Pictures) -> BoxReviewTask:
    return BoxReviewTask(pictures.catalogue, Leasing(60), RULE.iou)


def reviewer(pictures: Pictures, name: str = "rita") -> Person:
    return pictures.person(name, Role.REVIEWER)


def dispute(pictures: Pictures, *values: dict[str, Any]) -> int:
    """A picture that three people answer differently; return its id."""
    key = pictures.add(A)
    for name, value in zip(("ann", "bob", "cleo"), values, strict=True):
        someone = pictures.person(name)
        (task,) = pictures.task().take(someone, 1)
        pictures.answer(someone, task, value)
    assert pictures.status(key) == "disputed"
    return key


def test_a_reviewer_sees_what_each_person_drew_and_begins_with_what_most_did(
    pictures: Pictures,
) -> None:
    dispute(pictures, boxed(C, A), boxed(B, A), boxed(A))
    (task,) = review(pictures).take(reviewer(pictures), 5)
    assert task.payload["people"] == [[list(A)], [list(A), list(B)], [list(A), list(C)]]
    assert task.payload["proposals"] == [list(A)]
    assert task.payload["cannot_tell"] == 0


def test_what_is_shown_does_not_depend_on_who_answered_first(
    plain_pictures: Pictures,
) -> None:
    dispute(plain_pictures, boxed(A), boxed(B, A), CANNOT)
    dispute(plain_pictures, CANNOT, boxed(B, A), boxed(A))
    one, other = review(plain_pictures).take(reviewer(plain_pictures), 5)
    assert one.payload["people"] == other.payload["people"]
    assert one.payload["cannot_tell"] == 1


@pytest.mark.slow
def test_what_is_settled_between_two_queries_is_shown_to_nobody_else(
    postgres_pictures: Pictures,
) -> None:
    pictures = postgres_pictures
    dispute(pictures, boxed(A), boxed(B), boxed(A, B, C))
    rita = reviewer(pictures)
    (task,) = review(pictures).take(rita, 5)
    rob = reviewer(pictures, "rob")
    with pictures.after_a_look(lambda: pictures.answer(rita, task, boxed(C, B))):
        assert review(pictures).take(rob, 5) == []


def test_a_reviewer_settles_a_disputed_picture(pictures: Pictures) -> None:
    key = dispute(pictures, boxed(A), boxed(B), boxed(A, B, C))
    rita = reviewer(pictures)
    (task,) = review(pictures).take(rita, 5)
    pictures.answer(rita, task, boxed(C, B))
    assert pictures.status(key) == "verified"
    assert [box for box, _ in pictures.verified(key)] == [B, C]
    assert review(pictures).waiting(rita) == 0
    assert pictures.decisions(key) == ["open", "disputed", "verified"]


def test_who_is_no_reviewer_any_more_is_refused_and_others_get_it(
    pictures: Pictures,
) -> None:
    key = dispute(pictures, boxed(A), boxed(B), boxed(A, B, C))
    rita, other = reviewer(pictures), reviewer(pictures, "otto")
    (task,) = review(pictures).take(rita, 5)
    assert review(pictures).take(other, 5) == []
    pictures.person("rita", Role.ANNOTATOR)
    receipt = pictures.answer(rita, task, boxed(C, B))
    assert receipt.refused == "only a reviewer may settle this"
    assert pictures.status(key) == "disputed"
    with pictures.catalogue.read() as connection:
        people = connection.execute(sa.select(box_answer.c.annotator)).scalars()
        assert "rita" not in people.all()
    (task,) = review(pictures).take(other, 5)
    assert pictures.answer(other, task, boxed(C, B)).refused is None
    assert pictures.status(key) == "verified"


def test_a_settlement_that_is_sent_again_after_the_role_went_is_known(
    pictures: Pictures,
) -> None:
    key = dispute(pictures, boxed(A), boxed(B), boxed(A, B, C))
    rita = reviewer(pictures)
    (task,) = review(pictures).take(rita, 5)
    for role in (Role.REVIEWER, Role.ANNOTATOR):
        rita = pictures.person("rita", role)
        receipt = pictures.answer(rita, task, boxed(C, B), client_id="once")
        assert receipt.refused is None
    assert pictures.status(key) == "verified"


def test_a_reviewer_who_was_one_of_those_who_differ_settles_it_too(
    plain_pictures: Pictures,
) -> None:
    key = dispute(plain_pictures, boxed(A), boxed(B), boxed(C))
    ann = reviewer(plain_pictures, "ann")
    (task,) = review(plain_pictures).take(ann, 5)
    plain_pictures.answer(ann, task, boxed(A), at=2.0)
    assert [box for box, _ in plain_pictures.verified(key)] == [A]


def test_a_reviewer_may_take_his_word_back(plain_pictures: Pictures) -> None:
    key = dispute(plain_pictures, boxed(A), boxed(B), boxed(C))
    rita = reviewer(plain_pictures)
    (task,) = review(plain_pictures).take(rita, 5)
    plain_pictures.answer(rita, task, boxed(A), at=2.0)
    plain_pictures.answer(rita, task, CANNOT, at=3.0)
    assert plain_pictures.status(key) == "cannot_tell"


def test_two_reviewers_do_not_get_the_same_picture(pictures: Pictures) -> None:
    dispute(pictures, boxed(A), boxed(B), boxed(C))
    task = review(pictures)
    assert len(task.take(reviewer(pictures, "rita"), 5)) == 1
    assert task.take(reviewer(pictures, "rob"), 5) == []


def test_only_disputed_pictures_wait_for_a_reviewer(plain_pictures: Pictures) -> None:
    plain_pictures.add(A)
    plain_pictures.task().take(plain_pictures.person(), 1)
    rita = reviewer(plain_pictures)
    assert review(plain_pictures).waiting(rita) == 0
    assert review(plain_pictures).take(rita, 5) == []
