from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.annotate.people.people import Role
from icf.annotate.review import task
from icf.annotate.review.conflicts import find_conflicts
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label
from tests.annotate.pairs.asked import ask_about, current, person
from tests.annotate.place import Place
from tests.annotate.review.expert import Expert, read_always, vote

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    read_always(monkeypatch)


def found(place: Place, needed: int | None = 1) -> list[int]:
    with place.workspace.catalogue.read() as connection:
        return [each.question_id for each in find_conflicts(connection, needed)]


def test_contradicting_answers_with_enough_votes_are_a_conflict(place: Place) -> None:
    one, two, three, four = ask_about(place, 4)
    vote(place, one, T, F)
    vote(place, two, T, T)
    vote(place, three, T, T, U, U)
    assert found(place) == [one, three]
    assert found(place, needed=2) == [three]
    vote(place, four, T, U)
    assert found(place) == [one, three, four]


def test_disputed_questions_come_first_and_need_no_votes(place: Place) -> None:
    one, two = ask_about(place, 2)
    vote(place, one, T, F)
    with place.workspace.catalogue.write() as connection:
        disputed = sa.update(question).where(question.c.id == two)
        connection.execute(disputed.values(label=Label.DISPUTED.value))
    assert found(place) == [two, one]
    # Where probabilities decide, people are asked on until the question is disputed.
    assert found(place, needed=None) == [two]


def test_what_is_settled_since_is_no_conflict(place: Place) -> None:
    one, two = ask_about(place, 2)
    vote(place, one, T, F)
    vote(place, two, T, F)
    assert found(place) == [one, two]
    with place.workspace.catalogue.write() as connection:
        agree = sa.update(answer).where(answer.c.question_id == one)
        connection.execute(agree.values(choice=T.value))
    assert found(place) == [two]


@pytest.mark.parametrize("most", [1, 100])
def test_many_conflicts_are_counted_without_being_read(
    place: Place, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(task, "MOST", most)
    for each in ask_about(place, 3):
        vote(place, each, T, F)
    expert = Expert(place)
    assert expert.task.parts(expert.person)["conflict"] == 3


def test_an_expert_settles_a_conflict(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, T, F)
    expert = Expert(place)
    assert expert.task.parts(expert.person)["conflict"] == 1
    [task] = expert.take()
    assert task.payload["kind"] == "conflict"
    assert task.payload["votes"] == {"true": 2, "false": 1}
    assert "person" not in str(task.payload)
    assert expert.say(task, F).refused is None
    # The label does not follow yet, and nobody is asked the same again.
    assert place.labels() == {one: "open"}
    assert Expert(place, "joe").take() == []
    expert.settle(task, F)
    assert place.labels() == {one: "different"}
    assert place.decisions("label")[-1] == (one, "different", 2.0)
    assert expert.task.parts(expert.person)["conflict"] == 0


def test_an_expert_changes_what_was_decided(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, F)
    expert = Expert(place)
    [task] = expert.take()
    expert.settle(task, F)
    expert.settle(task, T)
    assert place.labels() == {one: "same"}
    mine = [each for each in current(place) if each[1] == "eve"]
    assert mine == [(one, "eve", "true")]


def test_one_expert_at_a_time_has_a_conflict(place: Place) -> None:
    [one, two] = ask_about(place, 2)
    vote(place, one, T, F)
    vote(place, two, T, F)
    eve, joe = Expert(place), Expert(place, "joe")
    [first] = eve.take(1)
    others = joe.take()
    assert [joe.lease(each).subject_id for each in others] == [two]
    assert eve.lease(first).subject_id == one


def test_a_person_settles_last_what_the_person_took_part_in(place: Place) -> None:
    one, two = ask_about(place, 2)
    vote(place, one, T)
    with place.workspace.catalogue.write() as connection:
        values = sa.update(answer).values(annotator="eve")
        connection.execute(values.where(answer.c.question_id == one))
    vote(place, one, F)
    vote(place, two, T, F)
    eve = Expert(place)
    assert [eve.lease(each).subject_id for each in eve.take()] == [two, one]


def test_who_is_no_reviewer_any_more_settles_nothing(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, F)
    expert = Expert(place)
    [task] = expert.take()
    expert.person = person(place, "eve", Role.ANNOTATOR)
    assert expert.say(task, T).refused == "only a reviewer may settle this"
    assert place.labels() == {one: "open"}


def test_the_pictures_of_a_conflict_are_those_of_its_pair(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, F)
    expert = Expert(place)
    [task] = expert.take()
    lease = expert.lease(task)
    source = expert.sources["conflict"]
    with place.workspace.catalogue.read() as connection:
        query = sa.select(question.c.face_id, question.c.reference_face_id)
        face_id, reference = connection.execute(query).one()
        shown = [
            source.picture(connection, lease, name).face_id
            for name in ("candidate", "reference")
        ]
        with pytest.raises(KeyError):
            source.picture(connection, lease, "own-reference")
    assert shown == [face_id, reference]
