"""An answer that is stored is known when it comes again, whatever changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from icf.annotate.attributes.source import AttributeSource
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.people.people import Role
from icf.annotate.tasks.base import Source
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.catalogue.schema import face, question
from icf.codes import Choice, FaceReason, Label
from tests.annotate.audit.audited import add_labels, items, planned, said
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place
from tests.annotate.review.expert import Expert, outlier, suspect, vote

ONLY = "only a reviewer may settle this"


def conflict(place: Place) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, Choice.TRUE, Choice.FALSE)


def suspicion(place: Place) -> None:
    suspect(place, outlier(place, place.add_character()))


def decision(place: Place) -> None:
    add_labels(place, same=8, different=6)
    one = next(each for each in items(place, planned(place)) if each.label == "same")
    said(place, one, Choice.FALSE)


@pytest.mark.parametrize("something", [conflict, suspicion, decision])
def test_a_settlement_is_known_after_the_role_went(
    place: Place, something: Callable[[Place], None]
) -> None:
    something(place)
    eve = Expert(place)
    [task] = eve.take(1)

    def say(client_id: str) -> str | None:
        answer = Sent(task.handle, client_id, {"choice": "true"}, 3.0, 1000.0)
        catalogue = place.workspace.catalogue
        [receipt] = store(catalogue, eve.sources, eve.person, [answer])
        return receipt.refused

    assert say("once") is None
    person(place, "eve", Role.ANNOTATOR)
    assert say("once") is None
    assert say("another") == ONLY
    person(place, "eve", Role.REVIEWER)
    assert say("another") is None


def test_an_answer_is_known_after_its_question_or_face_went(place: Place) -> None:
    [key] = ask_about(place, 1)
    face_id = place.add_face(1, 0.5)
    ann = person(place)
    pair = lease_of(place, ann, key)
    described = lease_of(place, ann, face_id, "attributes")

    def say(source: Source, answer: Sent) -> str | None:
        receipts: list[Receipt] = send(place, source, ann, [answer])
        return receipts[0].refused

    def both(client_id: str) -> list[str | None]:
        about = Sent(described.handle, client_id, {"cannot_tell": True}, 1.0, 1000.0)
        return [
            say(QuestionSource(), sent(pair.handle, client_id=client_id)),
            say(AttributeSource(), about),
        ]

    assert both("once") == [None, None]
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label=Label.WITHDRAWN.value))
        gone = sa.update(face).where(face.c.id == face_id)
        connection.execute(gone.values(reason=FaceReason.NOT_A_FACE.value))
    assert both("once") == [None, None]
    assert None not in both("another")
