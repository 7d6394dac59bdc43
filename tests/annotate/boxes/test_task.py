from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Task
from icf.catalogue.annotation.schema import lease
from icf.catalogue.schema import image
from tests.annotate.boxes.pictures import SIDE, A, B, Pictures, boxed


def shown(pictures: Pictures, tasks: list[Task]) -> list[int]:
    """The pictures of tasks."""
    with pictures.catalogue.read() as connection:
        found = [leases.find(connection, each.handle) for each in tasks]
    return [each.subject_id for each in found if each is not None]


def test_a_person_gets_pictures_with_the_boxes_of_the_detector(
    pictures: Pictures,
) -> None:
    key = pictures.add(A, B)
    (task,) = pictures.task().take(pictures.person(), 5)
    assert shown(pictures, [task]) == [key]
    assert task.payload == {
        "kind": "boxes",
        "picture": f"/picture/{task.handle}/picture.jpg",
        "width": SIDE,
        "height": SIDE,
        "proposals": [list(A), list(B)],
    }


def test_where_boxes_are_hidden_the_page_is_told_as_if_there_were_none(
    plain_pictures: Pictures,
) -> None:
    plain_pictures.add(A, B)
    plain_pictures.add()
    tasks = plain_pictures.task(hidden=1.0).take(plain_pictures.person(), 5)
    with_faces, without = [
        json.dumps(each.payload).replace(each.handle, "") for each in tasks
    ]
    assert with_faces == without


@pytest.mark.parametrize(
    "columns", [{"kind": "human"}, {"reason": "low_score"}, {"reason": "not_a_face"}]
)
def test_only_drawn_faces_that_the_detector_is_sure_of_are_proposed(
    plain_pictures: Pictures, columns: dict[str, str]
) -> None:
    key = plain_pictures.add(A)
    plain_pictures.add_face(key, B, **columns)
    (task,) = plain_pictures.task().take(plain_pictures.person(), 5)
    assert task.payload["proposals"] == [list(A)]


def test_two_people_get_the_same_picture_and_a_third_does_not(
    pictures: Pictures,
) -> None:
    pictures.add(A)
    task = pictures.task()
    people = [pictures.person(name) for name in ("ann", "bob", "cleo")]
    assert [len(task.take(each, 5)) for each in people] == [1, 1, 0]


@pytest.mark.slow
def test_an_answer_that_comes_between_two_queries_makes_room_for_nobody(
    postgres_pictures: Pictures,
) -> None:
    pictures = postgres_pictures
    pictures.add(A)
    task = pictures.task()
    ann, bob, cleo = [pictures.person(name) for name in ("ann", "bob", "cleo")]
    first, _ = task.take(ann, 5), task.take(bob, 5)
    with pictures.after_a_look(lambda: pictures.answer(ann, first[0], boxed(A))):
        assert task.take(cleo, 5) == []


def test_nobody_gets_a_picture_twice(pictures: Pictures) -> None:
    keys = [pictures.add(A) for _ in range(4)]
    task, ann = pictures.task(), pictures.person()
    first = task.take(ann, 2)
    pictures.answer(ann, first[0], boxed(A))
    second = task.take(ann, 9)
    assert sorted(shown(pictures, first + second)) == keys


def test_a_picture_that_is_given_back_goes_to_others(pictures: Pictures) -> None:
    pictures.add(A)
    task = pictures.task()
    ann, bob, cleo = (pictures.person(name) for name in ("ann", "bob", "cleo"))
    (held,) = task.take(ann, 1)
    task.take(bob, 1)
    with pictures.catalogue.write() as connection:
        leases.end(connection, ann, [held.handle])
    assert len(task.take(cleo, 1)) == 1


def test_a_picture_whose_lease_ran_out_goes_to_others(pictures: Pictures) -> None:
    pictures.add(A)
    task = pictures.task()
    people = [pictures.person(name) for name in ("ann", "bob", "cleo")]
    for each in people[:2]:
        task.take(each, 1)
    with pictures.catalogue.write() as connection:
        connection.execute(sa.update(lease).values(until=1.0))
    assert len(task.take(people[2], 1)) == 1


def test_a_third_person_is_asked_where_two_differ(pictures: Pictures) -> None:
    pictures.add(A)
    task = pictures.task()
    people = [pictures.person(name) for name in ("ann", "bob", "cleo", "dan")]
    for each, drawn in zip(people[:2], (A, B), strict=True):
        pictures.answer(each, task.take(each, 1)[0], boxed(drawn))
    assert [len(task.take(each, 1)) for each in people] == [0, 0, 1, 0]


def test_nobody_is_asked_about_a_picture_that_is_settled(
    plain_pictures: Pictures,
) -> None:
    plain_pictures.add(A)
    task = plain_pictures.task()
    for name in ("ann", "bob"):
        someone = plain_pictures.person(name)
        plain_pictures.answer(someone, task.take(someone, 1)[0], boxed(A))
    cleo = plain_pictures.person("cleo")
    assert task.take(cleo, 1) == []
    assert task.waiting(cleo) == 0


def test_more_pictures_are_asked_about_when_few_are_left_for_a_person(
    plain_pictures: Pictures,
) -> None:
    made = [plain_pictures.add(A) for _ in range(10)]
    task, ann = plain_pictures.task(page=4, at_random=2), plain_pictures.person()
    first = task.take(ann, 3)
    assert len(plain_pictures.tasks()) == 4
    second = task.take(ann, 3)
    assert len(plain_pictures.tasks()) == 8
    third = task.take(ann, 9)
    found = shown(plain_pictures, first + second + third)
    assert len(found) == len(set(found))
    assert sorted(plain_pictures.tasks()) == made


def test_what_is_left_is_counted_for_each_person(pictures: Pictures) -> None:
    task, ann, bob = pictures.task(), pictures.person("ann"), pictures.person("bob")
    for _ in range(3):
        pictures.add(A)
    # How many there are is known when people are asked about them.
    assert task.waiting(ann) == 1
    pictures.answer(ann, task.take(ann, 1)[0], boxed(A))
    assert (task.waiting(ann), task.waiting(bob)) == (2, 3)


def test_a_picture_that_was_taken_down_is_not_shown(plain_pictures: Pictures) -> None:
    plain_pictures.add(A)
    task, ann = plain_pictures.task(), plain_pictures.person()
    (held,) = task.take(ann, 1)
    with plain_pictures.catalogue.write() as connection:
        connection.execute(sa.update(image).values(reason="taken_down"))
    receipt = plain_pictures.answer(ann, held, boxed(A))
    assert receipt.refused == "this picture was taken down"
    assert task.take(plain_pictures.person("bob"), 1) == []


def test_the_settings_say_how_many_people_must_agree(plain_pictures: Pictures) -> None:
    task = plain_pictures.task()
    workspace = plain_pictures.place.workspace
    made = type(task).of(workspace, task.leasing, plain_pictures.run)
    assert (made.rule.people, made.rule.iou) == (2, 0.7)
    assert made.asker.asking.hidden == 0.5


def test_everybody_gets_pictures_in_the_same_order(plain_pictures: Pictures) -> None:
    """So that a picture is soon settled, instead of many begun."""
    for _ in range(8):
        plain_pictures.add(A)
    task = plain_pictures.task()

    def first(name: str) -> list[int]:
        someone: Person = plain_pictures.person(name)
        return shown(plain_pictures, task.take(someone, 3))

    assert first("ann") == first("bob")
