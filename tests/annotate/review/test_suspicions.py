from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from icf.annotate.review.counts import AUDIT
from icf.annotate.tasks.base import Task
from icf.catalogue import reviews
from icf.catalogue.merges import survivor_of
from icf.catalogue.schema import batch, face, question
from icf.codes import Choice, FaceReason, Suspicion
from icf.filter.review import merges as review_merges
from tests.annotate.pairs.asked import ask_about, ask_all
from tests.annotate.place import Place
from tests.annotate.review.expert import (
    Expert,
    merge,
    outlier,
    read_always,
    split,
    status_of,
    suspect,
    twin,
    vote,
)

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    read_always(monkeypatch)


def asked_about(place: Place) -> list[tuple[int, int, int, str | None, float | None]]:
    query = sa.select(
        question.c.face_id,
        question.c.character_id,
        question.c.reference_face_id,
        question.c.chosen,
        question.c.inclusion,
    ).order_by(question.c.id)
    with place.workspace.catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_all_kinds_come_in_their_order_conflicts_first(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, F)
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    suspect(place, outlier(place, ann))
    suspect(place, split(place, ann))
    suspect(place, twin(place, ann, bea))
    suspect(place, merge(place, ann, bea))
    expert = Expert(place)
    expected = ["conflict", "merge", "twin", "split", "outlier"]
    assert [each.payload["kind"] for each in expert.take()] == expected
    parts = {AUDIT: 0, **dict.fromkeys(expected, 1)}
    assert list(expert.task.parts(expert.person).items()) == list(parts.items())
    assert expert.task.waiting(expert.person) == 5


def test_a_part_of_the_queue_is_taken_alone(place: Place) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    suspect(place, outlier(place, ann))
    suspect(place, merge(place, ann, bea))
    expert = Expert(place)
    assert [each.payload["kind"] for each in expert.take(9, "outlier")] == ["outlier"]
    assert expert.take(9, "twin") == []
    assert [each.payload["kind"] for each in expert.take()] == ["merge"]


def test_looking_asks_nothing_and_answering_asks_and_settles(place: Place) -> None:
    ann = place.add_character("Ann")
    found = outlier(place, ann)
    key = suspect(place, found)
    expert = Expert(place)
    [task] = expert.take()
    assert task.payload["score"] == 0.9
    assert (place.questions(), status_of(place, key)) == ([], "open")
    expert.settle(task, F)
    assert status_of(place, key) == "different"
    assert asked_about(place) == [
        (found.face_id, ann, found.other_face_id, "suspicion", 1.0)
    ]
    assert expert.take() == []
    assert expert.task.waiting(expert.person) == 0
    [(asked, _, _)] = place.decisions("ask")
    assert asked == place.question_ids()[0]


def test_experts_questions_are_one_batch_that_grows(place: Place) -> None:
    ann = place.add_character("Ann")
    for _ in range(3):
        suspect(place, outlier(place, ann))
    expert = Expert(place)
    for each in expert.take():
        expert.settle(each, T)
    with place.workspace.catalogue.read() as connection:
        query = sa.select(batch.c.format, batch.c.path, batch.c.questions)
        assert [tuple(row) for row in connection.execute(query)] == [
            ("page", "page/review", 3)
        ]


def test_a_merge_is_answered_and_applied_by_the_filter(place: Place) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    key = suspect(place, merge(place, ann, bea))
    expert = Expert(place)
    [task] = expert.take()
    assert (task.payload["character"], task.payload["alone"]) == ("Ann", False)
    assert task.payload["own"]["character"] == "Bea"
    # Her reference is the face itself, which is shown already.
    assert task.payload["own"]["references"] == []
    expert.settle(task, T)
    assert status_of(place, key) == "same"
    review_merges.apply(place.workspace)
    with place.workspace.catalogue.read() as connection:
        assert survivor_of(connection, bea) == ann


def test_of_twins_the_character_of_the_other_face_is_shown_beside(
    place: Place,
) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    found = twin(place, ann, bea)
    key = suspect(place, found)
    expert = Expert(place)
    [task] = expert.take()
    assert task.payload["character"] == "Bea"
    own = task.payload["own"]
    assert own["character"] == "Ann"
    [url] = own["references"]
    assert url == f"/picture/{task.handle}/own-reference.jpg"
    lease = expert.lease(task)
    with place.workspace.catalogue.read() as connection:
        names = ("candidate", "reference", "own-reference")
        source = expert.sources["suspicion"]
        shown = [source.picture(connection, lease, name).face_id for name in names]
    assert shown == [found.face_id, place.reference(bea), place.reference(ann)]
    expert.settle(task, T)
    assert status_of(place, key) == "same"
    # It is about another character than identity's choice.
    assert asked_about(place)[0][-1] is None


def test_a_question_that_waits_for_answers_is_the_one_that_is_settled(
    place: Place,
) -> None:
    ann = place.add_character("Ann")
    key = suspect(place, outlier(place, ann))
    [asked] = ask_all(place)
    assert status_of(place, key) == "asked"
    expert = Expert(place)
    [task] = expert.take()
    expert.settle(task, T)
    assert place.labels() == {asked: "same"}
    assert status_of(place, key) == "same"


@pytest.mark.parametrize("kind", [Suspicion.OUTLIER, Suspicion.MERGE])
def test_an_expert_changes_what_settled_a_suspicion(
    place: Place, kind: Suspicion
) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    is_merge = kind is Suspicion.MERGE
    key = suspect(place, merge(place, ann, bea) if is_merge else outlier(place, ann))
    expert = Expert(place)
    [task] = expert.take()
    expert.settle(task, T)
    lease = expert.lease(task)
    with place.workspace.catalogue.read() as connection:
        source = expert.sources["suspicion"]
        assert source.picture(connection, lease, "candidate").face_id is not None
    expert.settle(task, F)
    assert status_of(place, key) == "different"
    assert len(place.question_ids()) == 1
    assert list(place.labels().values()) == ["different"]


def test_what_waits_for_its_label_is_not_shown_to_another_expert(place: Place) -> None:
    ann = place.add_character("Ann")
    suspect(place, outlier(place, ann))
    expert = Expert(place)
    [task] = expert.take()
    assert expert.say(task, T).refused is None
    assert Expert(place, "joe").take() == []


def test_a_suspicion_that_no_longer_holds_is_refused_in_words(place: Place) -> None:
    ann = place.add_character("Ann")
    found = outlier(place, ann)
    suspect(place, found)
    expert = Expert(place)
    [task] = expert.take()
    with place.workspace.catalogue.write() as connection:
        gone = sa.update(face).where(face.c.id == found.face_id)
        connection.execute(gone.values(reason=FaceReason.TAKEN_DOWN.value))
        reviews.close(connection, faces=[found.face_id])
    assert "no longer holds" in str(expert.say(task, T).refused)
    assert place.questions() == []
    with place.workspace.catalogue.read() as connection:
        lease = expert.lease(task)
        with pytest.raises(KeyError):
            expert.sources["suspicion"].picture(connection, lease, "candidate")


def refusal(expert: Expert, task: Task, choice: Choice) -> str:
    return str(expert.say(task, choice).refused)


def test_an_answer_against_a_reference_that_was_not_shown_is_refused(
    place: Place,
) -> None:
    ann = place.add_character("Ann")
    found = outlier(place, ann)
    key = suspect(place, found)
    expert = Expert(place)
    [task] = expert.take()
    before, by_hand = place.reference(ann), place.add_face(ann, 0.9)
    place.set_reference(ann, by_hand)
    assert "no longer holds" in refusal(expert, task, Choice.WRONG_REFERENCE)
    assert place.questions() == []
    with place.workspace.catalogue.read() as connection:
        lease = expert.lease(task)
        with pytest.raises(KeyError):
            expert.sources["suspicion"].picture(connection, lease, "reference")
    # What was shown is there again.
    place.set_reference(ann, before)
    expert.settle(task, F)
    assert status_of(place, key) == "different"
    place.set_reference(ann, by_hand)
    expert.settle(task, T)
    assert [each[2] for each in asked_about(place)] == [before]
    assert status_of(place, key) == "same"


def test_a_question_against_an_earlier_reference_is_not_the_one_that_is_shown(
    place: Place,
) -> None:
    ann = place.add_character("Ann")
    found = outlier(place, ann)
    key = suspect(place, found)
    [asked] = ask_all(place)
    before, by_hand = place.reference(ann), place.add_face(ann, 0.9)
    place.set_reference(ann, by_hand)
    suspect(place, replace(found, other_face_id=by_hand))
    expert = Expert(place)
    [task] = expert.take()
    expert.settle(task, F)
    assert [each[2] for each in asked_about(place)] == [before, by_hand]
    assert place.labels()[asked] == "open"
    assert status_of(place, key) == "different"


def test_twins_that_turned_round_are_not_answered_about_the_other_face(
    place: Place,
) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    found = twin(place, ann, bea)
    suspect(place, found)
    expert = Expert(place)
    [task] = expert.take()
    with place.workspace.catalogue.write() as connection:
        surer = sa.update(face).where(face.c.id == found.face_id)
        connection.execute(surer.values(probability=0.95))
    assert "no longer holds" in refusal(expert, task, Choice.NOT_A_FACE)
    assert place.questions() == []


def test_merges_wait_until_both_references_are_confirmed(place: Place) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    place.set_reference(bea, place.reference(bea), "medoid")
    suspect(place, merge(place, ann, bea))
    assert Expert(place).take() == []
