from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.people.people import Role
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Shown, Task
from icf.catalogue.annotation.schema import box_answer, lease
from tests.annotate.boxes.pictures import A, B, Pictures, boxed

CANNOT = {"verdict": "cannot_tell", "boxes": []}
#: 4 pixels to the right of `A`.
NEAR_A = (14.0, 10.0, 64.0, 60.0)


def given(pictures: Pictures, person: str, value: dict[str, Any]) -> Task:
    """Somebody takes the next picture and answers; return the task."""
    someone = pictures.person(person)
    (task,) = pictures.task().take(someone, 1)
    assert pictures.answer(someone, task, value).refused is None
    return task


def rows(pictures: Pictures) -> list[sa.Row[tuple[int]]]:
    with pictures.catalogue.read() as connection:
        query = sa.select(box_answer).order_by(box_answer.c.id)
        return list(connection.execute(query))


def test_an_answer_is_stored_as_it_was_given(pictures: Pictures) -> None:
    key = pictures.add(A)
    given(pictures, "ann", boxed(A, B))
    (row,) = rows(pictures)
    assert (row.image_id, row.annotator, row.verdict) == (key, "ann", "boxed")
    assert row.boxes == "[[10.0,10.0,60.0,60.0],[80.0,20.0,130.0,90.0]]"
    assert (row.seconds, row.answered_at, row.file) == (3.0, 1.0, None)
    assert row.shown
    assert not row.decides
    assert pictures.status(key) == "open"


def test_two_people_who_agree_settle_a_picture(pictures: Pictures) -> None:
    key = pictures.add()
    face_id = pictures.add_face(key, A)
    given(pictures, "ann", boxed(A, B))
    given(pictures, "bob", boxed(B, NEAR_A))
    assert pictures.status(key) == "verified"
    # The detector found the first and missed the second.
    merged = (12.0, 10.0, 62.0, 60.0)
    assert pictures.verified(key) == [(merged, face_id), (B, None)]
    assert pictures.decisions(key) == ["open", "verified"]


def test_two_people_who_cannot_tell_settle_that(pictures: Pictures) -> None:
    key = pictures.add(A)
    given(pictures, "ann", CANNOT)
    given(pictures, "bob", CANNOT)
    assert pictures.status(key) == "cannot_tell"
    assert pictures.verified(key) == []


def test_whether_the_boxes_were_shown_is_stored(plain_pictures: Pictures) -> None:
    plain_pictures.add(A)
    ann = plain_pictures.person()
    (task,) = plain_pictures.task(hidden=1.0).take(ann, 1)
    plain_pictures.answer(ann, task, boxed(A))
    (row,) = rows(plain_pictures)
    assert not row.shown


def test_an_answer_that_is_sent_twice_is_stored_once(pictures: Pictures) -> None:
    pictures.add(A)
    ann = pictures.person()
    (task,) = pictures.task().take(ann, 1)
    for _ in range(2):
        receipt = pictures.answer(ann, task, boxed(A), client_id="one")
        assert receipt.refused is None
    assert len(rows(pictures)) == 1


def test_the_id_of_an_answer_to_another_picture_is_refused(
    pictures: Pictures,
) -> None:
    pictures.add(A)
    pictures.add(A)
    ann = pictures.person()
    one, other = pictures.task().take(ann, 2)
    pictures.answer(ann, one, boxed(A), client_id="one")
    receipt = pictures.answer(ann, other, boxed(A), client_id="one")
    assert receipt.refused == "another answer has the same id"
    assert len(rows(pictures)) == 1


def test_a_changed_answer_counts_instead_of_the_first(pictures: Pictures) -> None:
    key = pictures.add(A)
    first = given(pictures, "ann", boxed(A))
    given(pictures, "bob", boxed(A, B))
    assert pictures.status(key) == "open"
    ann = pictures.person("ann")
    pictures.answer(ann, first, boxed(A, B), at=2.0)
    assert pictures.status(key) == "verified"
    pictures.answer(ann, first, boxed(A), at=3.0)
    assert pictures.status(key) == "open"
    assert pictures.verified(key) == []
    assert pictures.decisions(key) == ["open", "verified", "open"]
    assert [row.replaced_at is None for row in rows(pictures)] == [
        False,
        True,
        False,
        True,
    ]


def test_an_older_answer_that_comes_late_does_not_count(pictures: Pictures) -> None:
    pictures.add(A)
    ann = pictures.person()
    (task,) = pictures.task().take(ann, 1)
    pictures.answer(ann, task, boxed(B), at=5.0)
    pictures.answer(ann, task, boxed(A), at=4.0)
    late = rows(pictures)[1]
    assert late.boxes == "[[10.0,10.0,60.0,60.0]]"
    assert late.replaced_at is not None


def test_a_changed_answer_moves_the_boxes_of_a_verified_picture(
    plain_pictures: Pictures,
) -> None:
    key = plain_pictures.add()
    first = given(plain_pictures, "ann", boxed(A))
    given(plain_pictures, "bob", boxed(A))
    ann = plain_pictures.person("ann")
    plain_pictures.answer(ann, first, boxed(NEAR_A), at=2.0)
    assert plain_pictures.verified(key) == [((12.0, 10.0, 62.0, 60.0), None)]
    assert plain_pictures.decisions(key) == ["open", "verified", "verified"]


@pytest.mark.parametrize("value", [{}, boxed((0, 0, 500, 50)), boxed((5, 5, 5, 9))])
def test_boxes_that_cannot_be_are_refused_and_the_lease_stays(
    plain_pictures: Pictures, value: dict[str, Any]
) -> None:
    plain_pictures.add(A)
    ann = plain_pictures.person()
    (task,) = plain_pictures.task().take(ann, 1)
    assert plain_pictures.answer(ann, task, value).refused
    assert rows(plain_pictures) == []
    with plain_pictures.catalogue.read() as connection:
        ended = connection.execute(sa.select(lease.c.ended_at)).scalar_one()
    assert ended is None


def test_the_only_picture_of_a_lease_is_the_whole_picture(
    plain_pictures: Pictures,
) -> None:
    key = plain_pictures.add(A)
    (task,) = plain_pictures.task().take(plain_pictures.person(), 1)
    source = plain_pictures.source
    with plain_pictures.catalogue.read() as connection:
        found = leases.find(connection, task.handle)
        assert found is not None
        shown = source.picture(connection, found, "picture")
        assert shown == Shown(image_id=key, side=2000)
        with pytest.raises(KeyError):
            source.picture(connection, found, "reference")


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_a_reviewer_on_the_page_of_boxes_is_one_person_more(
    plain_pictures: Pictures, role: Role
) -> None:
    key = plain_pictures.add(A)
    someone = plain_pictures.person("ann", role)
    (task,) = plain_pictures.task().take(someone, 1)
    plain_pictures.answer(someone, task, boxed(A))
    assert plain_pictures.status(key) == "open"
