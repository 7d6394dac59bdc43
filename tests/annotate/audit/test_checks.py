from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import Audit
from icf.annotate.audit.checks import (
    Check,
    Item,
    RefusedCheck,
    Verdict,
    disagreements,
    store_check,
)
from icf.annotate.audit.result import conclude
from icf.catalogue.annotation.schema import label_audit_answer
from icf.catalogue.schema import character, face
from icf.codes import Choice, FaceReason
from tests.annotate.audit.audited import (
    AGREES,
    DIFFERS,
    MAKER,
    add_labels,
    check_all,
    items,
    planned,
    said,
)
from tests.annotate.place import Place


@pytest.fixture
def audit(place: Place) -> Audit:
    add_labels(place, same=12, different=9)
    return planned(place)


def first(place: Place, audit: Audit, label: str = "same") -> Item:
    """A label that `MAKER` made: not that of the reference chosen by hand."""
    return next(
        each
        for each in items(place, audit)
        if each.label == label and each.face_id != each.reference_face_id
    )


def again(place: Place, audit: Audit, item: Item) -> Item:
    return next(each for each in items(place, audit) if each.id == item.id)


def test_a_check_that_agrees_settles_a_label(place: Place, audit: Audit) -> None:
    item = first(place, audit)
    assert item.verdict is Verdict.TO_CHECK
    assert said(place, item, Choice.TRUE)
    assert again(place, audit, item).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("label", "choice"),
    [
        ("same", Choice.FALSE),
        ("same", Choice.UNSURE),
        ("same", Choice.NOT_A_FACE),
        ("same", Choice.WRONG_REFERENCE),
        ("different", Choice.TRUE),
        ("different", Choice.UNSURE),
        ("different", Choice.WRONG_REFERENCE),
    ],
)
def test_any_other_check_waits_for_a_reviewer(
    place: Place, audit: Audit, label: str, choice: Choice
) -> None:
    item = first(place, audit, label)
    said(place, item, choice)
    assert again(place, audit, item).verdict is Verdict.TO_DECIDE
    with place.workspace.catalogue.read() as connection:
        assert [each.id for each in disagreements(connection)] == [item.id]


def test_what_shows_no_face_is_not_the_character_either(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit, "different")
    said(place, item, Choice.NOT_A_FACE)
    assert again(place, audit, item).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [
        (Choice.TRUE, Verdict.RIGHT),
        (Choice.FALSE, Verdict.WRONG),
        (Choice.UNSURE, Verdict.WRONG),
        (Choice.NOT_A_FACE, Verdict.WRONG),
    ],
)
def test_a_reviewer_decides_and_what_is_unsure_counts_as_wrong(
    place: Place, audit: Audit, choice: Choice, verdict: Verdict
) -> None:
    item = first(place, audit)
    said(place, item, Choice.FALSE)
    said(place, item, choice, "rita", decides=True)
    assert again(place, audit, item).verdict is verdict


def test_who_made_a_label_can_neither_check_it_nor_decide(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    with pytest.raises(RefusedCheck, match="answered this question before"):
        said(place, item, Choice.TRUE, MAKER)
    said(place, item, Choice.FALSE)
    with pytest.raises(RefusedCheck, match="answered this question before"):
        said(place, item, Choice.TRUE, MAKER, decides=True)


def test_answers_about_what_was_merged_since_count_as_those_of_the_label(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    other = place.add_character("Ben")
    with place.workspace.catalogue.write() as connection:
        merge = sa.update(character).where(character.c.id == item.character_id)
        connection.execute(merge.values(merged_into=other))
    with pytest.raises(RefusedCheck):
        said(place, item, Choice.TRUE, MAKER)


def test_who_checked_a_label_does_not_decide_on_it(place: Place, audit: Audit) -> None:
    item = first(place, audit)
    said(place, item, Choice.FALSE)
    with pytest.raises(RefusedCheck, match="somebody else must decide"):
        said(place, item, Choice.TRUE, decides=True)


def test_there_is_nothing_to_decide_where_nobody_disagrees(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    with pytest.raises(RefusedCheck, match="there is nothing to decide"):
        said(place, item, Choice.FALSE, "rita", decides=True)
    said(place, item, Choice.TRUE)
    with pytest.raises(RefusedCheck, match="there is nothing to decide"):
        said(place, item, Choice.FALSE, "rita", decides=True)


def test_one_reviewer_decides(place: Place, audit: Audit) -> None:
    item = first(place, audit)
    said(place, item, Choice.FALSE)
    said(place, item, Choice.TRUE, "rita", decides=True)
    with pytest.raises(RefusedCheck, match="another reviewer"):
        said(place, item, Choice.FALSE, "rob", decides=True)
    said(place, item, Choice.FALSE, "rita", decides=True)
    assert again(place, audit, item).verdict is Verdict.WRONG


def test_a_decision_stands_when_the_check_is_taken_back(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    said(place, item, Choice.FALSE)
    said(place, item, Choice.FALSE, "rita", decides=True)
    said(place, item, Choice.TRUE)
    assert again(place, audit, item).verdict is Verdict.WRONG


def test_a_later_answer_replaces_the_earlier_one_and_both_stay(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    assert said(place, item, Choice.FALSE)
    assert said(place, item, Choice.TRUE)
    assert again(place, audit, item).checks == {"bob": Choice.TRUE}
    with place.workspace.catalogue.read() as connection:
        count = sa.select(sa.func.count()).select_from(label_audit_answer)
        assert connection.execute(count).scalar_one() == 2


def test_an_answer_that_was_given_earlier_replaces_none(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    with place.workspace.catalogue.write() as connection:
        assert store_check(connection, Check(item.id, "bob", Choice.TRUE, 200.0))
        assert not store_check(connection, Check(item.id, "bob", Choice.FALSE, 100.0))
    assert again(place, audit, item).checks == {"bob": Choice.TRUE}


def test_an_answer_that_is_sent_twice_is_stored_once(
    place: Place, audit: Audit
) -> None:
    item = first(place, audit)
    check = Check(item.id, "bob", Choice.TRUE, 5.0, client_id="one")
    with place.workspace.catalogue.write() as connection:
        assert store_check(connection, check)
        assert not store_check(connection, check)


def test_two_people_who_check_must_both_agree(place: Place, audit: Audit) -> None:
    item = first(place, audit)
    said(place, item, Choice.TRUE)
    said(place, item, Choice.FALSE, "eve")
    assert again(place, audit, item).verdict is Verdict.TO_DECIDE


def test_what_was_taken_down_before_anybody_looked_counts_as_wrong(
    place: Place, audit: Audit
) -> None:
    seen, unseen = [e for e in items(place, audit) if e.label == "different"][:2]
    said(place, seen, Choice.FALSE)
    with place.workspace.catalogue.write() as connection:
        gone = face.c.id.in_([seen.face_id, unseen.face_id])
        update = sa.update(face).where(gone)
        connection.execute(update.values(reason=FaceReason.TAKEN_DOWN.value))
    assert again(place, audit, seen).verdict is Verdict.RIGHT
    assert again(place, audit, unseen).verdict is Verdict.WRONG


def test_an_audit_that_is_over_takes_no_answers(place: Place, audit: Audit) -> None:
    check_all(place, audit, AGREES)
    with place.workspace.catalogue.write() as connection:
        conclude(connection, audit)
    item = first(place, audit)
    with pytest.raises(RefusedCheck, match="settled meanwhile"):
        said(place, item, DIFFERS[item.label])
    # The same file can be imported again.
    assert not said(place, item, AGREES[item.label])


def test_a_label_that_no_audit_has_is_refused(place: Place, audit: Audit) -> None:
    with (
        pytest.raises(RefusedCheck, match="no audit has"),
        place.workspace.catalogue.write() as connection,
    ):
        store_check(connection, Check(10_000, "bob", Choice.TRUE))
