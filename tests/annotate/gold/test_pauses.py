from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.following import Follower
from icf.annotate.gold.pauses import go_on, pause_low
from icf.annotate.gold.score import LEAST, Score, score_of
from icf.annotate.people.people import Person, find_person
from icf.annotate.votes import VotesRule
from icf.annotate.waiting import Applier
from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.catalogue.schema import answer, decision
from icf.codes import Choice
from tests.annotate.gold.place import add_gold, answer_gold
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place
from tests.annotate.posterior.answers import say

T, F = Choice.TRUE, Choice.FALSE


def found(place: Place, name: str) -> Person:
    with place.workspace.catalogue.read() as connection:
        someone = find_person(connection, name)
    assert someone is not None
    return someone


def answers(place: Place, name: str, right: int, of: int) -> None:
    keys = add_gold(place, [T] * of, place.add_character())
    choices = [T] * right + [F] * (of - right)
    answer_gold(place, name, zip(keys, choices, strict=True))


def let_follow(place: Place) -> int:
    run_id = place.workspace.begin_run("test")
    applier = Applier(place.workspace.catalogue, Follower(run_id, VotesRule(1)))
    return applier.apply_all().answers


def test_who_is_below_the_floor_is_paused_and_asked_for_again(place: Place) -> None:
    one, two = ask_about(place, 2)
    person(place), person(place, "bob")
    say(place, {one: [("ann", T)], two: [("bob", T)]}, VotesRule(1))
    answers(place, "ann", right=14, of=LEAST)
    answers(place, "bob", right=15, of=LEAST)
    assert pause_low(place.workspace.catalogue, 0.75) == ["ann"]
    assert found(place, "ann").paused == LOW_SCORE
    assert found(place, "bob").paused is None
    assert let_follow(place) == 1
    assert place.labels() == {one: "open", two: "same"}
    assert pause_low(place.workspace.catalogue, 0.75) == []


def test_too_few_answers_pause_nobody_and_without_a_floor_none_do(place: Place) -> None:
    person(place)
    answers(place, "ann", right=0, of=LEAST - 1)
    assert pause_low(place.workspace.catalogue, 0.75) == []
    answers(place, "ann", right=0, of=1)
    assert pause_low(place.workspace.catalogue, 0.0) == []
    assert pause_low(place.workspace.catalogue, 0.01) == ["ann"]


def test_who_goes_on_has_a_new_score_and_old_answers(place: Place) -> None:
    [one] = ask_about(place, 1)
    person(place)
    say(place, {one: [("ann", T)]}, VotesRule(1))
    answers(place, "ann", right=0, of=LEAST)
    pause_low(place.workspace.catalogue, 0.75)
    let_follow(place)
    assert place.labels() == {one: "open"}
    with place.workspace.catalogue.write() as connection:
        go_on(connection, found(place, "ann"))
    assert let_follow(place) == 1
    assert place.labels() == {one: "same"}
    with place.workspace.catalogue.read() as connection:
        assert score_of(connection, "ann") == Score(0, 0)
    assert pause_low(place.workspace.catalogue, 0.75) == []


def test_a_changed_answer_is_noted_once_whatever_follows_again(place: Place) -> None:
    [one] = ask_about(place, 1)
    person(place)
    say(place, {one: [("ann", T)]}, VotesRule(1))
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(answer).values(replaced_at=5.0))
        connection.execute(
            sa.insert(answer).values(
                question_id=one,
                annotator="ann",
                choice="false",
                answered_at=6.0,
                imported_at=6.0,
                file="page",
                line=0,
                waits=True,
            )
        )
    let_follow(place)
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(answer).where(answer.c.replaced_at.is_(None)).values(waits=True)
        )
    let_follow(place)
    query = sa.select(sa.func.count()).where(decision.c.step == "answer")
    with place.workspace.catalogue.read() as connection:
        assert connection.execute(query).scalar_one() == 1
