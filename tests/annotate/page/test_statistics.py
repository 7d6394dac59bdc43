from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from icf.annotate.gold.pauses import discount
from icf.annotate.page.statistics import Share, overview, work_of
from icf.annotate.people.people import Person, Role
from icf.annotate.people.sessions import find_or_add
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.schema import answer, question
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place

YESTERDAY = 24 * 3600.0


def say(
    place: Place,
    key: int,
    name: str,
    choice: str,
    seconds: float | None = None,
    before: float = 0.0,
) -> None:
    """An answer, given some seconds ago."""
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.insert(answer).values(
                question_id=key,
                annotator=name,
                choice=choice,
                answered_at=time.time() - before,
                imported_at=time.time(),
                file="page",
                line=0,
                seconds=seconds,
            )
        )


def test_a_person_sees_answers_pace_and_agreement(place: Place) -> None:
    first, second, third = ask_about(place, 3)
    say(place, first, "Ann", "true", 1.0)
    say(place, second, "Ann", "false", 2.0, before=2 * YESTERDAY)
    say(place, third, "Ann", "true", 9.0)
    say(place, first, "Bob", "true")
    say(place, second, "Bob", "true")
    say(place, second, "Cid", "false")
    with place.workspace.catalogue.write() as connection:
        found = connection.execute(sa.select(question.c.face_id)).scalars().first()
        connection.execute(
            sa.insert(attribute_answer).values(
                face_id=found, annotator="Ann", answered_at=time.time()
            )
        )
    with place.workspace.catalogue.read() as connection:
        work = work_of(connection, "Ann")
        nobody = work_of(connection, "Nobody")
    assert (work.answers, work.seconds) == (4, 2.0)
    assert work.today in (3, 0)  # 0: midnight was a moment ago
    assert work.agreement == Share(2, 3)
    assert (nobody.answers, nobody.seconds, nobody.agreement.percent) == (0, None, None)


def test_an_answer_that_was_replaced_counts_no_more(place: Place) -> None:
    [asked] = ask_about(place, 1)
    say(place, asked, "Ann", "true")
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(answer).values(replaced_at=time.time()))
    say(place, asked, "Ann", "false")
    say(place, asked, "Bob", "true")
    with place.workspace.catalogue.read() as connection:
        work = work_of(connection, "Ann")
    assert (work.answers, work.agreement) == (1, Share(0, 1))


@pytest.fixture
def two(place: Place) -> tuple[Person, Person]:
    """People, by name."""
    return person(place, "Ann"), person(place, "Bob")


def test_an_admin_sees_who_does_what(place: Place, two: tuple[Person, Person]) -> None:
    ids = ask_about(place, 5)
    say(place, ids[0], "Ann", "true", 1.5)
    say(place, ids[0], "Bob", "false", 2.5)
    with place.workspace.catalogue.write() as connection:
        held = [("question", key) for key in ids[1:3]]
        Leasing(60).issue(connection, two[1], "pairs", held)
        Leasing(-1).issue(connection, two[0], "pairs", held)
        settled = sa.update(question).where(question.c.id == ids[0])
        connection.execute(settled.values(label="same"))
        gone = sa.update(question).where(question.c.id == ids[3])
        connection.execute(gone.values(label="withdrawn"))
        disputed = sa.update(question).where(question.c.id == ids[4])
        connection.execute(disputed.values(label="disputed"))
        said = {"face_id": 1, "annotator": "Eve", "answered_at": 0.0}
        connection.execute(sa.insert(attribute_answer).values(**said))
        discount(connection, find_or_add(connection, "Eve", Role.ANNOTATOR))
    with place.workspace.catalogue.read() as connection:
        found = overview(connection)
    progress = {
        each.task: (each.done, each.total, each.open) for each in found.progress
    }
    # A confirmed face is to be described, as Eve's word counts no more, and a disputed
    # pair is for experts.
    assert progress == {
        "pairs": (2, 4, 2),
        "boxes": (0, 0, 0),
        "attributes": (0, 1, 1),
        "review": (0, 1, 1),
        "audit": (0, 0, 0),
    }
    assert found.labels == {"disputed": 1, "open": 2, "same": 1, "withdrawn": 1}
    assert found.agreement == Share(0, 2)
    rows = {each.known.person.name: each for each in found.people}
    assert (rows["Ann"].holds, rows["Bob"].holds) == ({}, {"pairs": 2})
    assert (rows["Ann"].work.answers, rows["Ann"].work.seconds) == (1, 1.5)
    assert rows["Bob"].known.state == "invited"
