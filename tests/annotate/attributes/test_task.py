"""Faces are given to people to describe, and what they say is stored."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.attributes import queue
from icf.annotate.attributes.source import AttributeSource
from icf.annotate.attributes.task import AttributesTask
from icf.annotate.people.people import Person
from icf.annotate.tasks.base import Lease, Task
from icf.annotate.tasks.leases import Leasing, end, find
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.labels.attributes import read_attributes
from icf.catalogue.schema import character, face, question
from icf.codes import FaceReason, Gender, Label, Verdict
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place

SAID = {"yaw": 30, "pitch": 0, "roll": -5, "occlusion": "none", "gender": "male"}


def confirm(place: Place, *faces: int, label: Label = Label.SAME) -> None:
    """As if people had answered the questions about some faces."""
    update = sa.update(question).where(question.c.face_id.in_(faces))
    with place.workspace.catalogue.write() as connection:
        connection.execute(update.values(label=label.value))


def asked_faces(place: Place, count: int) -> list[int]:
    """Faces that people confirmed, all of one character; its reference is one."""
    ask_about(place, count)
    faces = [face_id for face_id, _, _ in place.questions()]
    confirm(place, *faces)
    return faces


def task_of(place: Place, votes: int = 1) -> AttributesTask:
    return AttributesTask(place.workspace.catalogue, Leasing(60), votes)


def lease_of(place: Place, task: Task) -> Lease:
    with place.workspace.catalogue.read() as connection:
        found = find(connection, task.handle)
    assert found is not None
    return found


def faces_of(place: Place, tasks: list[Task]) -> list[int]:
    return [lease_of(place, each).subject_id for each in tasks]


def say(
    place: Place,
    someone: Person,
    task: Task,
    value: dict[str, Any] | None = None,
    at: float = 100.0,
    client_id: str | None = None,
) -> Receipt:
    sent = Sent(task.handle, client_id or str(uuid.uuid4()), value or SAID, 9.0, at)
    source = AttributeSource()
    [made] = store(place.workspace.catalogue, {source.name: source}, someone, [sent])
    return made


def test_confirmed_faces_and_references_chosen_by_hand_are_described(
    place: Place,
) -> None:
    faces = asked_faces(place, 4)
    confirm(place, faces[0], label=Label.DIFFERENT)
    confirm(place, faces[1], label=Label.OPEN)
    with place.workspace.catalogue.read() as connection:
        query = sa.select(character.c.reference_face_id)
        [reference] = connection.execute(query).scalars()
    tasks = task_of(place).take(person(place), 10)
    assert sorted(faces_of(place, tasks)) == sorted([reference, *faces[2:]])


@pytest.mark.parametrize(
    "columns",
    [
        {"reason": FaceReason.TAKEN_DOWN.value},
        {"verdict": Verdict.DROPPED.value, "reason": FaceReason.NOT_A_FACE.value},
    ],
)
def test_what_is_no_longer_kept_is_not_shown_and_not_stored(
    place: Place, columns: dict[str, str]
) -> None:
    faces = asked_faces(place, 2)
    ann = person(place)
    task = task_of(place)
    shown = task.take(ann, 10)
    with place.workspace.catalogue.write() as connection:
        gone = sa.update(face).where(face.c.id.in_(faces))
        connection.execute(gone.values(**columns))
    receipts = {
        lease_of(place, each).subject_id: say(place, ann, each) for each in shown
    }
    for each in faces:
        assert "taken down" in str(receipts.pop(each).refused)
    # The reference was not touched.
    assert [each.refused for each in receipts.values()] == [None]
    assert task.take(person(place, "bob"), 10)[0].payload["kind"] == "attributes"
    assert len(task.take(person(place, "cat"), 10)) <= 1


def test_a_face_confirmed_as_two_characters_is_not_shown(place: Place) -> None:
    faces = asked_faces(place, 2)
    other = place.add_character("Bea")
    with place.workspace.catalogue.write() as connection:
        batch_id = connection.execute(sa.select(question.c.batch_id)).scalar()
        connection.execute(
            sa.insert(question).values(
                face_id=faces[0],
                character_id=other,
                reference_face_id=faces[1],
                batch_id=batch_id,
                label=Label.SAME.value,
                asked_at=0.0,
            )
        )
    shown = faces_of(place, task_of(place).take(person(place), 10))
    assert faces[0] not in shown
    assert faces[1] in shown


def test_two_people_describe_each_face_and_nobody_twice(place: Place) -> None:
    faces = asked_faces(place, 3)
    task = task_of(place)
    seen = {}
    for name in ("ann", "bob", "cat"):
        someone = person(place, name)
        shown = task.take(someone, 10)
        seen[name] = set(faces_of(place, shown))
        for each in shown:
            assert say(place, someone, each).refused is None
        assert task.take(someone, 10) == []
        assert task.waiting(someone) == 0
    assert set(faces) < seen["ann"] == seen["bob"]
    assert seen["cat"] == set()


def test_with_more_votes_more_people_describe_each_face(place: Place) -> None:
    asked_faces(place, 1)
    task = task_of(place, votes=3)
    counts = [len(task.take(person(place, name), 10)) for name in "abcd"]
    assert counts == [2, 2, 2, 0]


def test_what_somebody_holds_is_free_again_when_it_is_given_back(place: Place) -> None:
    asked_faces(place, 2)
    task = task_of(place)
    ann, bob, cat = (person(place, name) for name in ("ann", "bob", "cat"))
    shown = task.take(ann, 10)
    assert len(task.take(bob, 10)) == len(shown) == 3
    assert task.take(cat, 10) == []
    with place.workspace.catalogue.write() as connection:
        end(connection, ann, [shown[1].handle])
    again = task.take(cat, 10)
    assert faces_of(place, again) == faces_of(place, [shown[1]])


def test_everybody_gets_the_same_order_also_after_a_restart(place: Place) -> None:
    asked_faces(place, 8)
    first = faces_of(place, task_of(place).take(person(place), 9))
    second = faces_of(place, task_of(place).take(person(place, "bob"), 9))
    assert first == second
    assert len(set(first)) == 9
    assert first != sorted(first)


def test_all_windows_are_gone_through_a_few_at_a_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = asked_faces(place, 12)
    monkeypatch.setattr(queue, "WINDOW", 2)
    monkeypatch.setattr(queue, "MOST_WINDOWS", 3)
    task = task_of(place)
    ann = person(place)
    assert 0 < task.waiting(ann) <= 26
    seen: list[int] = []
    for _ in range(20):
        for each in task.take(ann, 2):
            seen += faces_of(place, [each])
            say(place, ann, each)
    assert set(faces) < set(seen)
    assert len(seen) == len(set(seen)) == 13


def test_the_page_gets_names_pictures_and_what_the_wiki_says(place: Place) -> None:
    asked_faces(place, 1)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(character).values(gender=Gender.FEMALE.value))
    task = task_of(place).take(person(place), 1)[0]
    assert set(task.payload) == {
        "kind",
        "character",
        "album",
        "face",
        "context",
        "proposals",
    }
    assert task.payload["character"] == "Ann"
    assert task.payload["proposals"] == {"gender": "female"}
    assert task.payload["face"] == f"/picture/{task.handle}/face.jpg"
    lease = lease_of(place, task)
    with place.workspace.catalogue.read() as connection:
        shown = AttributeSource().picture(connection, lease, "face")
        whole = AttributeSource().picture(connection, lease, "context")
        with pytest.raises(KeyError):
            AttributeSource().picture(connection, lease, "reference")
    assert shown.face_id == lease.subject_id
    assert whole.image_id is not None
    assert whole.boxes == ((40.0, 40.0, 120.0, 120.0),)


def test_a_later_description_replaces_the_earlier_one(place: Place) -> None:
    asked_faces(place, 1)
    ann = person(place)
    task = task_of(place).take(ann, 1)[0]
    key = lease_of(place, task).subject_id
    say(place, ann, task, {**SAID, "yaw": 10}, at=10.0, client_id="one")
    say(place, ann, task, {**SAID, "yaw": 20}, at=20.0)
    # The first one is sent again, because its receipt got lost; an older one is late.
    say(place, ann, task, {**SAID, "yaw": 10}, at=10.0, client_id="one")
    say(place, ann, task, {**SAID, "yaw": 15}, at=15.0)
    with place.workspace.catalogue.read() as connection:
        rows = connection.execute(sa.select(attribute_answer)).all()
        [(described, merged)] = read_attributes(connection)
    assert len(rows) == 3
    assert {row.seconds for row in rows} == {9.0}
    assert (described, merged.people, merged.yaw.value) == (key, 1, 20.0)


def test_a_refused_description_is_not_stored(place: Place) -> None:
    asked_faces(place, 1)
    ann = person(place)
    task = task_of(place).take(ann, 1)[0]
    assert "yaw must be" in str(say(place, ann, task, {**SAID, "yaw": 999}).refused)
    with place.workspace.catalogue.read() as connection:
        assert connection.execute(sa.select(attribute_answer)).all() == []
    assert say(place, ann, task, {"cannot_tell": True}).refused is None
    with place.workspace.catalogue.read() as connection:
        [(_, merged)] = read_attributes(connection)
    assert (merged.people, merged.cannot_tell, merged.yaw.value) == (1, 1, None)
