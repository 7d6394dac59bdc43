"""An audit on the page: blind, by other people, held by one person at a time."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import Audit, plan
from icf.annotate.audit.checks import RefusedCheck, Verdict
from icf.annotate.audit.source import AuditSource
from icf.annotate.pairs.mix import Mix
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.pairs.task import PairsTask
from icf.annotate.people.people import Person
from icf.annotate.tasks.base import Source
from icf.annotate.tasks.leases import Leasing
from icf.annotate.tasks.store import store
from icf.catalogue.annotation.schema import lease
from icf.catalogue.schema import character, face
from icf.codes import Choice, FaceReason, Label
from tests.annotate.audit.audited import (
    GOAL,
    MAKER,
    add_label,
    add_labels,
    items,
    planned,
    said,
)
from tests.annotate.choosing.films import link
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place

SOURCE = AuditSource()


def offered(place: Place, to: Person, count: int = 1000) -> list[int]:
    with place.workspace.catalogue.read() as connection:
        return SOURCE.take(connection, to, count)


def by_people(place: Place, audit: Audit) -> list[int]:
    """The labels that `MAKER` made, without that of the reference chosen by hand."""
    return [
        each.id
        for each in items(place, audit)
        if each.face_id != each.reference_face_id
    ]


def pairs_task(place: Place) -> PairsTask:
    sources: dict[str, Source] = {
        QuestionSource.name: QuestionSource(),
        AuditSource.name: SOURCE,
    }
    return PairsTask(place.workspace.catalogue, Leasing(60), sources, Mix(0, 0.0))


def test_people_are_offered_the_sample_in_its_order(place: Place) -> None:
    add_labels(place, same=8, different=6)
    bob = person(place, "bob")
    assert offered(place, bob) == []
    audit = planned(place)
    assert offered(place, bob) == [each.id for each in items(place, audit)]
    assert offered(place, bob, 2) == [each.id for each in items(place, audit)][:2]


def test_nobody_is_offered_labels_of_their_own(place: Place) -> None:
    ann = add_labels(place, same=8, different=6)
    audit = planned(place)
    maker = person(place, MAKER)
    assert not set(offered(place, maker)) & set(by_people(place, audit))
    other = place.add_character("Ben")
    with place.workspace.catalogue.write() as connection:
        merge = sa.update(character).where(character.c.id == ann)
        connection.execute(merge.values(merged_into=other))
    assert not set(offered(place, maker)) & set(by_people(place, audit))


def test_who_answered_about_another_face_of_a_track_does_not_check_the_others(
    place: Place,
) -> None:
    ann = place.add_character()
    first = add_label(place, ann, Label.SAME)
    for other in (place.add_face(ann, 0.9), place.add_face(ann, 0.9)):
        link(place, first, other)
    settings = place.workspace.settings
    follow = settings.annotate.model_copy(update={"tracks": "follow"})
    settings = settings.model_copy(update={"annotate": follow})
    with place.workspace.catalogue.write() as connection:
        audit = plan(connection, settings, GOAL, 1)
    assert audit.parts["accepts"].labels == 4
    maker = person(place, MAKER)
    reference = place.reference(ann)
    shown = {each.id: each.face_id for each in items(place, audit)}
    assert {shown[each] for each in offered(place, maker)} == {reference}
    for each in items(place, audit):
        if each.face_id != reference:
            with pytest.raises(RefusedCheck):
                said(place, each, Choice.TRUE, MAKER)


def test_a_label_is_offered_until_somebody_holds_or_checked_it(place: Place) -> None:
    add_labels(place, same=8, different=6)
    audit = planned(place)
    bob, eve = person(place, "bob"), person(place, "eve")
    first, second, *rest = [each.id for each in items(place, audit)]
    lease_of(place, bob, first, "audit")
    said(place, items(place, audit)[1], Choice.TRUE)
    assert offered(place, eve) == rest
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(lease).values(until=1.0))
    assert offered(place, eve) == [first, *rest]
    assert second not in offered(place, bob)


def test_what_was_taken_down_is_neither_offered_nor_shown(place: Place) -> None:
    add_labels(place, same=8, different=6)
    audit = planned(place)
    one = items(place, audit)[0]
    with place.workspace.catalogue.write() as connection:
        update = sa.update(face).where(face.c.id == one.face_id)
        connection.execute(update.values(reason=FaceReason.TAKEN_DOWN.value))
    assert one.id not in offered(place, person(place, "bob"))
    with place.workspace.catalogue.read() as connection:
        assert SOURCE.pairs(connection, [one.id]) == {}


def test_an_answer_of_the_page_is_a_check(place: Place) -> None:
    add_labels(place, same=8, different=0)
    audit = planned(place)
    bob = person(place, "bob")
    one, other = items(place, audit)[:2]
    handles = [lease_of(place, bob, each.id, "audit").handle for each in (one, other)]
    answers = [sent(handles[0], "true"), sent(handles[1], "unsure")]
    assert [each.refused for each in send(place, SOURCE, bob, answers)] == [None, None]
    assert [each.verdict for each in items(place, audit)[:2]] == [
        Verdict.RIGHT,
        Verdict.TO_DECIDE,
    ]
    # The browser sends what it got no receipt of once more.
    assert [each.refused for each in send(place, SOURCE, bob, answers)] == [None, None]
    assert items(place, audit)[0].checks == {"bob": Choice.TRUE}


def test_who_answered_the_question_meanwhile_is_refused(place: Place) -> None:
    add_labels(place, same=8, different=0)
    audit = planned(place)
    maker = person(place, MAKER)
    handle = lease_of(place, maker, by_people(place, audit)[0], "audit").handle
    [receipt] = send(place, SOURCE, maker, [sent(handle)])
    assert receipt.refused is not None
    assert "answered this question before" in receipt.refused


def test_an_answer_that_is_none_is_refused(place: Place) -> None:
    add_labels(place, same=8, different=0)
    audit = planned(place)
    bob = person(place, "bob")
    handle = lease_of(place, bob, items(place, audit)[0].id, "audit").handle
    [receipt] = send(place, SOURCE, bob, [sent(handle, "perhaps")])
    assert receipt.refused is not None


def test_an_audit_looks_like_questions_and_is_mixed_with_them(place: Place) -> None:
    add_labels(place, same=30, different=30)
    ask_about(place, 30)
    audit = planned(place)
    bob = person(place, "bob")
    task = pairs_task(place)
    assert task.waiting(bob) == 30 + len(items(place, audit))
    shown = task.take(bob, 16)
    with place.workspace.catalogue.read() as connection:
        held = connection.execute(sa.select(lease.c.handle, lease.c.source))
        source = {row.handle: row.source for row in held}
    kinds = {source[each.handle] for each in shown}
    assert kinds == {"question", "audit"}
    # No key, no name and no kind of value tells them apart.
    looks = {
        name: {
            tuple(sorted((key, type(value)) for key, value in each.payload.items()))
            for each in shown
            if source[each.handle] == name
        }
        for name in kinds
    }
    assert looks["audit"] == looks["question"]
    answers = [sent(each.handle) for each in shown]
    receipts = store(place.workspace.catalogue, task.sources, bob, answers)
    assert {each.refused for each in receipts} == {None}


def test_pictures_of_an_audit_are_those_of_any_pair(place: Place) -> None:
    add_labels(place, same=8, different=0)
    audit = planned(place)
    one = next(e for e in items(place, audit) if e.face_id != e.reference_face_id)
    held = lease_of(place, person(place, "bob"), one.id, "audit")
    with place.workspace.catalogue.read() as connection:
        shown = {
            name: SOURCE.picture(connection, held, name).face_id
            for name in ("candidate", "reference", "reference2")
        }
        assert SOURCE.picture(connection, held, "context").image_id is not None
    assert shown["candidate"] == one.face_id
    assert shown["reference"] == one.reference_face_id
    # The face in question is not among those that are confirmed.
    assert shown["reference2"] not in (one.face_id, one.reference_face_id)


def test_a_persons_own_answers_are_not_read_whole_for_every_label(
    plain: Place,
) -> None:
    add_labels(plain, same=8, different=0)
    planned(plain)
    maker = person(plain, MAKER)
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, text: str, values: Any, *_: Any) -> None:
        sent.append((text, values))

    engine = plain.workspace.catalogue.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    offered(plain, maker)
    sa.event.remove(engine, "before_cursor_execute", note)
    text, values = next(each for each in sent if "label_audit_item" in each[0])
    with plain.workspace.catalogue.read() as connection:
        explained = f"EXPLAIN QUERY PLAN {text}"
        plan_of = connection.exec_driver_sql(explained, values).all()
    steps = [row[3] for row in plan_of]
    assert any("SEARCH answer USING INDEX ix_answer_question_id" in e for e in steps)
    assert not any("ix_answer_annotator" in each for each in steps)
