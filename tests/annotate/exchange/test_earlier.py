"""One person under two names, and answers that come in any order."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import sqlalchemy as sa

from icf.annotate import record
from icf.annotate.answers import Vote
from icf.catalogue.schema import answer
from icf.codes import Choice
from tests.annotate.place import Place
from tests.annotate.test_record import asked, take

T, F = Choice.TRUE, Choice.FALSE


def given(question: int, annotator: str, choice: Choice, **more: object) -> Vote:
    """An answer as Label Studio's user 1 gives it, in annotation 7."""
    vote = Vote(
        2,
        question,
        annotator,
        choice,
        10.0,
        origin="label-studio:1",
        origin_id="label-studio:7@1.0",
    )
    return replace(vote, **more)  # type: ignore[arg-type]


def counting(place: Place) -> set[tuple[str, str]]:
    """Who says what, of the answers that count."""
    query = sa.select(answer.c.annotator, answer.c.choice)
    with place.workspace.catalogue.read() as connection:
        rows = connection.execute(query.where(answer.c.replaced_at.is_(None)))
        return {(row[0], row[1]) for row in rows}


@pytest.mark.parametrize(
    "again",
    [
        {"origin_id": None},
        {"origin": "label-studio:lab:1"},
        {"origin": None},
    ],
    ids=["same user", "same annotation, server named", "same annotation"],
)
def test_another_name_for_a_person_makes_no_second_vote(
    place: Place, again: dict[str, object]
) -> None:
    [one] = asked(place, 1)
    take(place, given(one, "label-studio:1", T), needed=2)
    renamed = take(place, given(one, "ann", T, **again), needed=2, file="b")
    assert (renamed.taken, renamed.known, renamed.renamed) == (0, 1, 1)
    assert counting(place) == {("ann", "true")}
    assert place.labels() == {one: "open"}
    # The first file again, under the first name.
    take(place, given(one, "label-studio:1", T), needed=2)
    assert len(place.answers()) == 1


def test_the_same_row_of_the_same_file_is_the_same_answer(place: Place) -> None:
    one, two = asked(place, 2)
    first = [Vote(2, one, "Z.", T), Vote(3, two, "Z.", F)]
    take(place, *first)
    query = sa.select(answer.c.file_sha256).distinct()
    with place.workspace.catalogue.read() as connection:
        sha256 = connection.execute(query).scalar_one()
    again = [replace(vote, annotator="Zoé") for vote in first]
    renamed = take(place, *again, sha256=sha256)
    assert (renamed.taken, renamed.known, renamed.renamed) == (0, 2, 2)
    assert counting(place) == {("Zoé", "true"), ("Zoé", "false")}


def test_names_that_were_swapped_are_swapped_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Also where a transaction would end between the two.
    monkeypatch.setattr(record, "CHUNK", 1)
    [one] = asked(place, 1)
    first = given(one, "bob", T)
    origin = {"origin": "label-studio:2", "origin_id": "label-studio:8@1.0"}
    second = given(one, "ann", F, **origin)
    take(place, first, second)
    right = [replace(first, annotator="ann"), replace(second, annotator="bob")]
    swapped = take(place, *right, file="b")
    assert (swapped.taken, swapped.revised, swapped.renamed) == (0, 0, 2)
    assert counting(place) == {("ann", "true"), ("bob", "false")}


def test_two_names_that_turn_out_to_be_one_person_have_one_vote(place: Place) -> None:
    [one] = asked(place, 1)
    take(place, Vote(2, one, "ann", F), given(one, "label-studio:1", T), needed=2)
    assert len(counting(place)) == 2
    take(place, given(one, "ann", T), needed=1, file="b")
    assert counting(place) == {("ann", "true")}
    assert place.labels() == {one: "same"}


def test_users_of_two_servers_are_two_people(place: Place) -> None:
    [one] = asked(place, 1)
    first = given(one, "label-studio:a:1", T, origin="label-studio:a:1")
    second = given(one, "label-studio:b:1", T, origin="label-studio:b:1")
    take(place, first, needed=2)
    take(place, replace(second, origin_id="label-studio:7@2.0"), needed=2, file="b")
    assert place.labels() == {one: "same"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_dated_answers_the_newest_counts_in_whatever_order_they_come(
    plain: Place, order: tuple[int, ...]
) -> None:
    [one] = asked(plain, 1)
    votes = [
        given(one, "ann", choice, answered_at=at)
        for choice, at in ((T, 10.0), (F, 20.0), (T, 30.0))
    ]
    for number in order:
        take(plain, votes[number], file=str(number))
    assert plain.labels() == {one: "same"}
    with plain.workspace.catalogue.read() as connection:
        query = sa.select(answer.c.answered_at).where(answer.c.replaced_at.is_(None))
        assert connection.execute(query).scalar_one() == 30.0


def test_seconds_and_origin_are_stored_and_filled_in_later(place: Place) -> None:
    one, two = asked(place, 2)
    take(place, given(one, "ann", T, seconds=1.5), Vote(3, two, "ann", T))
    take(place, given(two, "ann", T, seconds=2.5), file="b")
    query = sa.select(answer.c.seconds, answer.c.origin).order_by(answer.c.question_id)
    with place.workspace.catalogue.read() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [(1.5, "label-studio:1"), (2.5, "label-studio:1")]


def test_a_new_name_is_in_the_ledger(place: Place) -> None:
    [one] = asked(place, 1)
    take(place, given(one, "label-studio:1", T))
    take(place, given(one, "ann", T), file="b")
    assert place.decisions("answer") == [(one, "true", None)]
