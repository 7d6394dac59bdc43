"""An expert's answer settles a question, whatever the others say."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from icf.annotate.ask import ask
from icf.annotate.labels import Labelled, read_labelled
from icf.annotate.votes import VotesRule
from icf.catalogue.schema import answer
from icf.codes import Choice, Label
from tests.annotate.place import Place

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE

_NUMBERS = itertools.count(1)


@pytest.fixture
def asked(place: Place) -> int:
    """A question about a face."""
    place.add_face(place.add_character(), 0.5)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        ask(connection, run_id, "csv", "batches/a", 9)
    return place.question_ids()[-1]


def say(
    place: Place,
    question_id: int,
    choice: Choice,
    *,
    decides: bool | None = None,
    at: float | None = None,
    replaced: bool = False,
) -> None:
    number = next(_NUMBERS)
    values = {
        "question_id": question_id,
        "annotator": f"person {number}",
        "choice": choice.value,
        "answered_at": at,
        "imported_at": 50.0,
        "file": "page",
        "line": 0,
        "replaced_at": 60.0 if replaced else None,
        "decides": decides,
    }
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(answer).values(**values))


def labelled(place: Place, question_id: int, needed: int = 2) -> Labelled:
    with place.workspace.catalogue.read() as connection:
        [found] = read_labelled(connection, [question_id], VotesRule(needed))
    return found


def test_one_expert_counts_more_than_any_number_of_others(
    place: Place, asked: int
) -> None:
    for choice in (T, T, T, F):
        say(place, asked, choice)
    assert labelled(place, asked).agreed is Label.SAME
    say(place, asked, F, decides=True)
    found = labelled(place, asked)
    assert found.agreed is Label.DIFFERENT
    assert (found.settled.value, found.settled.by_expert) == (2.0, True)


def test_of_two_experts_the_newest_counts_in_whatever_order_they_are_stored(
    place: Place, asked: int
) -> None:
    say(place, asked, T, decides=True, at=30.0)
    say(place, asked, F, decides=True, at=20.0)
    assert labelled(place, asked).agreed is Label.SAME
    say(place, asked, U, decides=True)
    assert labelled(place, asked).agreed is Label.UNSURE


def test_an_expert_who_took_the_answer_back_decides_nothing(
    place: Place, asked: int
) -> None:
    say(place, asked, T, decides=True, replaced=True)
    assert labelled(place, asked).agreed is Label.OPEN
    say(place, asked, F, decides=False)
    found = labelled(place, asked, needed=1)
    assert (found.agreed, found.settled.by_expert) == (Label.DIFFERENT, False)


def test_of_the_reference_itself_an_expert_who_calls_it_wrong_says_no(
    place: Place,
) -> None:
    ann = place.add_character()
    place.set_reference(ann, place.reference(ann), "medoid")
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        ask(connection, run_id, "csv", "batches/a", 9)
    [alone] = place.question_ids()
    say(place, alone, T)
    say(place, alone, Choice.WRONG_REFERENCE, decides=True)
    found = labelled(place, alone, needed=1)
    assert (found.agreed, found.settled.value) == (Label.DIFFERENT, 1)
