from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import Audit
from icf.annotate.audit.checks import Item
from icf.annotate.audit.correct import Corrected, correct
from icf.annotate.audit.result import conclude
from icf.annotate.waiting import apply_waiting
from icf.catalogue.schema import question
from icf.codes import Choice
from tests.annotate.audit.audited import (
    DIFFERS,
    add_labels,
    check_all,
    items,
    planned,
    said,
)
from tests.annotate.place import Place
from tests.annotate.test_cli import call


def found_wrong(place: Place, kind: str, decision: Choice) -> tuple[Audit, Item]:
    """A complete audit with one wrong label."""
    add_labels(place, same=12, different=9)
    audit = planned(place)
    check_all(place, audit)
    wrong = next(
        each
        for each in items(place, audit)
        if each.label == kind and each.face_id != each.reference_face_id
    )
    said(place, wrong, DIFFERS[kind], "eve")
    said(place, wrong, decision, "rita", decides=True)
    with place.workspace.catalogue.write() as connection:
        conclude(connection, audit)
    return audit, wrong


def corrected(place: Place, audit: Audit) -> Corrected:
    with place.workspace.catalogue.write() as connection:
        made = correct(connection, audit.id)
    apply_waiting(place.workspace)
    return made


def label(place: Place, item: Item) -> str:
    query = sa.select(question.c.label).where(question.c.face_id == item.face_id)
    with place.workspace.catalogue.read() as connection:
        return str(connection.execute(query).scalar_one())


@pytest.mark.parametrize(
    ("kind", "decision", "expected"),
    [
        ("same", Choice.FALSE, "different"),
        ("different", Choice.TRUE, "same"),
        ("same", Choice.NOT_A_FACE, "not_a_face"),
    ],
)
def test_a_decision_settles_the_question_whatever_was_said_before(
    place: Place, kind: str, decision: Choice, expected: str
) -> None:
    audit, wrong = found_wrong(place, kind, decision)
    assert label(place, wrong) == kind
    made = corrected(place, audit)
    assert len(made.questions) == 1
    assert label(place, wrong) == expected


def test_the_audit_says_the_same_after_that(place: Place) -> None:
    audit, _ = found_wrong(place, "same", Choice.FALSE)
    before = items(place, audit)
    corrected(place, audit)
    assert items(place, audit) == before


def test_what_was_corrected_is_not_corrected_again(place: Place) -> None:
    audit, _ = found_wrong(place, "same", Choice.FALSE)
    corrected(place, audit)
    again = corrected(place, audit)
    assert (list(again.questions), again.known) == ([], 1)


def test_what_the_reviewer_was_unsure_of_stays_as_it_is(place: Place) -> None:
    audit, wrong = found_wrong(place, "same", Choice.UNSURE)
    assert corrected(place, audit).unsure == [wrong.face_id]
    assert label(place, wrong) == "same"


def test_corrected_labels_can_be_audited_again(place: Place) -> None:
    audit, _ = found_wrong(place, "same", Choice.FALSE)
    corrected(place, audit)
    assert planned(place, seed=2).id == audit.id + 1


def test_the_command_waits_until_the_audit_is_complete(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain.workspace.root)
    add_labels(plain, same=12, different=9)
    planned(plain)
    assert "is open" in call("audit", "correct", code=2)[1]


def test_the_command_says_what_it_corrected(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain.workspace.root)
    _, wrong = found_wrong(plain, "same", Choice.FALSE)
    value = json.loads(call("audit", "correct", "--json")[0])
    assert len(value["corrected"]) == 1
    assert label(plain, wrong) == "different"
