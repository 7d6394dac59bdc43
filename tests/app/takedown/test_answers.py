"""What people said about what is withdrawn goes with it, and nothing else does."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.boxes.choose import Asking, ask_more
from icf.app.takedown.target import find_target
from icf.app.takedown.work import take_down
from icf.catalogue.annotation.schema import (
    attribute_answer,
    box_answer,
    box_task,
    gold,
    gold_answer,
    label_audit,
    label_audit_answer,
    label_audit_item,
    lease,
    verified_box,
)
from icf.catalogue.schema import answer, face, image, question
from tests.annotate.pairs.asked import ask_all, person
from tests.annotate.place import Place

#: Everything that is about a face, with what it is about.
ABOUT = {
    "question": (question, question.c.face_id),
    "gold": (gold, gold.c.face_id),
    "attributes": (attribute_answer, attribute_answer.c.face_id),
    "boxes": (box_task, box_task.c.image_id),
    "box answers": (box_answer, box_answer.c.image_id),
    "verified": (verified_box, verified_box.c.image_id),
}


@pytest.fixture
def place(place: Place) -> Place:
    """A workspace in which everything was said about two faces of a character."""
    ann = place.add_character()
    for _ in range(2):
        place.add_face(ann, 0.5)
    ask_all(place)
    holder = person(place)
    with place.workspace.catalogue.write() as connection:
        audit = _insert(
            connection,
            label_audit,
            seed=1,
            max_error=0.1,
            confidence=0.9,
            plan="{}",
            labels_sha256="0" * 64,
            planned_at=0.0,
        )
        for row in connection.execute(sa.select(question)).all():
            _say_everything(connection, row, holder.id, audit)
    return place


def _say_everything(
    connection: sa.Connection, asked: Any, holder: int, audit: int
) -> None:
    shown_on = sa.select(face.c.image_id).where(face.c.id == asked.face_id)
    image_id = connection.execute(shown_on).scalar_one()
    said = {"annotator": "ann", "answered_at": time.time()}
    pair = {
        "face_id": asked.face_id,
        "character_id": asked.character_id,
        "reference_face_id": asked.reference_face_id,
    }
    _insert(
        connection,
        answer,
        question_id=asked.id,
        annotator="ann",
        choice="true",
        imported_at=0.0,
        file="page",
        line=0,
    )
    known = _insert(connection, gold, **pair, truth="true", made_by="hand", made_at=0.0)
    _insert(connection, gold_answer, gold_id=known, choice="true", **said)
    _insert(connection, attribute_answer, face_id=asked.face_id, yaw=1.0, **said)
    connection.execute(
        sa.insert(box_task).values(
            image_id=image_id, hidden=False, status="open", asked_at=0.0, changed_at=0.0
        )
    )
    boxed = {"verdict": "boxed", "boxes": "[]", "shown": True}
    _insert(connection, box_answer, image_id=image_id, **boxed, **said)
    corners = {"x1": 1.0, "y1": 1.0, "x2": 2.0, "y2": 2.0}
    _insert(
        connection, verified_box, image_id=image_id, **corners, people=1, disagreement=0
    )
    item = _insert(
        connection, label_audit_item, audit_id=audit, **pair, label="same", part="all"
    )
    _insert(connection, label_audit_answer, item_id=item, choice="true", **said)
    for source, key in (
        ("question", asked.id),
        ("gold", known),
        ("boxes", image_id),
        ("attributes", asked.face_id),
    ):
        _insert(
            connection,
            lease,
            handle=f"{source}{key}",
            person_id=holder,
            source=source,
            subject_id=key,
            task="pairs",
            issued_at=0.0,
            until=0.0,
        )


def _insert(connection: sa.Connection, table: sa.Table, **values: object) -> int:
    made = sa.insert(table).values(**values).returning(table.c.id)
    return int(connection.execute(made).scalar_one())


def everything(place: Place) -> dict[str, list[int]]:
    """What each table is about."""
    with place.workspace.catalogue.read() as connection:
        found = {
            name: sorted(connection.execute(sa.select(column)).scalars())
            for name, (_, column) in ABOUT.items()
        }
        for name, table in (("answer", answer), ("gold answer", gold_answer)):
            found[name] = list(connection.execute(sa.select(table.c.id)).scalars())
        handles = sa.select(lease.c.id)
        found["lease"] = list(connection.execute(handles).scalars())
    return found


def withdraw(place: Place, subject: str) -> None:
    with place.workspace.catalogue.read() as connection:
        target = find_target(connection, subject)
    take_down(place.workspace, target, "asked by mail")


def asked_face(place: Place) -> tuple[int, int, str]:
    """The face of the first question, its picture's id, and its hash."""
    query = (
        sa.select(face.c.id, face.c.image_id, image.c.sha256)
        .join(question, question.c.face_id == face.c.id)
        .join(image, image.c.id == face.c.image_id)
        .order_by(question.c.id)
    )
    with place.workspace.catalogue.read() as connection:
        found = connection.execute(query).first()
    assert found is not None
    return found.id, found.image_id, found.sha256


def test_all_that_was_said_about_a_picture_goes_and_nothing_else(place: Place) -> None:
    face_id, image_id, sha256 = asked_face(place)
    before = everything(place)
    withdraw(place, sha256)
    after = everything(place)
    for name in ABOUT:
        gone = {face_id, image_id}
        assert after[name] == [each for each in before[name] if each not in gone]
        assert len(after[name]) == len(before[name]) - 1
    assert (len(after["answer"]), len(after["gold answer"])) == (1, 1)
    assert (len(before["lease"]), len(after["lease"])) == (8, 4)


def test_a_reference_that_is_withdrawn_takes_its_known_questions_along(
    place: Place,
) -> None:
    with place.workspace.catalogue.read() as connection:
        reference = connection.execute(sa.select(gold.c.reference_face_id)).scalar()
        query = sa.select(image.c.sha256).join(face, face.c.image_id == image.c.id)
        sha256 = connection.execute(query.where(face.c.id == reference)).scalar_one()
    withdraw(place, sha256)
    after = everything(place)
    assert (after["gold"], after["gold answer"]) == ([], [])
    assert len(after["attributes"]) == 2


def test_a_withdrawn_character_takes_its_known_questions_along(place: Place) -> None:
    with place.workspace.catalogue.read() as connection:
        key = connection.execute(sa.select(gold.c.character_id)).scalar()
    withdraw(place, f"character:{key}")
    after = everything(place)
    assert (after["question"], after["gold"], after["answer"]) == ([], [], [])


def test_the_sample_of_an_audit_stays_as_it_was_drawn(place: Place) -> None:
    withdraw(place, asked_face(place)[2])
    with place.workspace.catalogue.read() as connection:
        for table in (label_audit_item, label_audit_answer):
            number = sa.select(sa.func.count()).select_from(table)
            assert connection.execute(number).scalar_one() == 2


def test_nobody_boxes_a_picture_that_stays_without_one_of_its_faces(
    place: Place,
) -> None:
    face_id, image_id, _ = asked_face(place)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.delete(box_answer))
        connection.execute(sa.delete(box_task))
        connection.execute(
            sa.update(image).values(width=200, height=200, reason="ok", awaits=None)
        )
        gone = sa.update(face).where(face.c.id == face_id)
        connection.execute(gone.values(reason="taken_down", verdict="dropped"))
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        assert ask_more(connection, run_id, Asking(hidden=0.5)) > 0
        asked = set(connection.execute(sa.select(box_task.c.image_id)).scalars())
    assert image_id not in asked
