"""Reviewers decide on an audit's labels: other people than who checked or made them."""

from __future__ import annotations

from icf.annotate.audit.audits import Audit
from icf.annotate.audit.checks import Item, Verdict
from icf.annotate.people.people import Role
from icf.annotate.review.audited import DecisionSource
from icf.annotate.review.counts import AUDIT
from icf.codes import Choice
from tests.annotate.audit.audited import MAKER, add_labels, items, planned, said
from tests.annotate.pairs.asked import lease_of, person, send, sent
from tests.annotate.place import Place
from tests.annotate.review.expert import Expert


def disputed(place: Place) -> tuple[Audit, Item]:
    """An audit with one label that the check differs from."""
    add_labels(place, same=8, different=6)
    audit = planned(place)
    one = next(
        each
        for each in items(place, audit)
        if each.label == "same" and each.face_id != each.reference_face_id
    )
    said(place, one, Choice.UNSURE)
    return audit, one


def verdict(place: Place, audit: Audit, item: Item) -> Verdict:
    return next(each for each in items(place, audit) if each.id == item.id).verdict


def test_a_disputed_label_is_shown_without_saying_what_it_is(place: Place) -> None:
    disputed(place)
    eve = Expert(place)
    [task] = eve.take(part=AUDIT)
    assert task.payload["kind"] == AUDIT
    # The label is one answer among others.
    assert task.payload["votes"] == {"true": 1, "unsure": 1}
    assert eve.task.parts(eve.person)[AUDIT] == 1


def test_a_reviewer_decides_and_may_change_it(place: Place) -> None:
    audit, item = disputed(place)
    eve = Expert(place)
    [task] = eve.take(part=AUDIT)
    assert eve.say(task, Choice.FALSE).refused is None
    assert verdict(place, audit, item) is Verdict.WRONG
    assert eve.say(task, Choice.TRUE).refused is None
    assert verdict(place, audit, item) is Verdict.RIGHT


def test_what_is_decided_is_not_shown_again(place: Place) -> None:
    disputed(place)
    eve, rob = Expert(place), Expert(place, "rob")
    [task] = eve.take(part=AUDIT)
    assert rob.take(part=AUDIT) == []
    eve.say(task, Choice.TRUE)
    assert rob.take(part=AUDIT) == []


def test_who_checked_or_made_the_label_is_not_asked_to_decide(place: Place) -> None:
    disputed(place)
    for name in ("bob", MAKER):
        someone = Expert(place, name)
        assert someone.take(part=AUDIT) == []
        assert someone.task.parts(someone.person)[AUDIT] == 0


def test_only_reviewers_decide(place: Place) -> None:
    _, item = disputed(place)
    sam = person(place, "sam", Role.ANNOTATOR)
    lease = lease_of(place, sam, item.id, DecisionSource.name)
    [receipt] = send(place, DecisionSource(), sam, [sent(lease.handle)])
    assert receipt.refused == "only a reviewer may settle this"


def test_a_decision_where_nobody_disagrees_is_refused(place: Place) -> None:
    audit, item = disputed(place)
    other = next(each for each in items(place, audit) if each.id != item.id)
    rita = person(place, "rita", Role.REVIEWER)
    lease = lease_of(place, rita, other.id, DecisionSource.name)
    [receipt] = send(place, DecisionSource(), rita, [sent(lease.handle)])
    assert receipt.refused is not None
    assert "nothing to decide" in receipt.refused


def test_pictures_of_a_dispute_are_those_of_the_pair(place: Place) -> None:
    _, item = disputed(place)
    eve = Expert(place)
    [task] = eve.take(part=AUDIT)
    with place.workspace.catalogue.read() as connection:
        shown = DecisionSource().picture(connection, eve.lease(task), "candidate")
    assert shown.face_id == item.face_id
