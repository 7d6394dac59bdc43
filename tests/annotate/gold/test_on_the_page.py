"""Known pairs with the page's server: its desk, and what it does between requests."""

from __future__ import annotations

from icf.annotate.gold.score import LEAST
from icf.annotate.gold.source import GoldSource
from icf.annotate.page.desk import open_desk
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.people.people import find_person
from icf.annotate.posterior.skills import Skill, read_skills
from icf.annotate.votes import VotesRule
from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.codes import Choice
from tests.annotate.gold.place import add_gold, answer_gold
from tests.annotate.page.waiting import at_work, comes_true
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place
from tests.annotate.posterior.answers import say

T, F = Choice.TRUE, Choice.FALSE


def test_the_first_pairs_of_a_person_are_known_ones(plain: Place) -> None:
    ask_about(plain, 30)
    keys = add_gold(plain, [T, F] * 6, plain.add_character())
    desk = open_desk(plain.workspace, ["pairs"])
    source = desk.sources["gold"]
    assert isinstance(source, GoldSource)
    ann = person(plain)
    first = desk.tasks["pairs"].take(ann, 10)
    with plain.workspace.catalogue.read() as connection:
        left = source.take(connection, ann, 99)
    # Ten are before her (annotate.gold_first), and no more than that.
    assert len(first) == 10
    assert len(left) == len(keys) - 10


def test_the_server_pauses_who_is_wrong_too_often_and_opens_the_questions(
    plain: Place,
) -> None:
    [one] = ask_about(plain, 1)
    person(plain)
    say(plain, {one: [("ann", T)]}, VotesRule(1))
    assert plain.labels() == {one: "same"}
    known = add_gold(plain, [T] * LEAST, plain.add_character())
    answer_gold(plain, "ann", [(key, F) for key in known])
    with at_work(plain):
        assert comes_true(lambda: plain.labels()[one] == "open")
    assert plain.labels()[one] == "open"
    with plain.workspace.catalogue.read() as connection:
        ann = find_person(connection, "ann")
    assert ann is not None
    assert ann.paused == LOW_SCORE


def test_the_server_weighs_people_while_they_answer(plain: Place) -> None:
    plain.set_up('[annotate]\ndecide = "posterior"\n')
    keys = ask_about(plain, 12)
    source = QuestionSource(overlap=3)
    for name in ("ann", "bob", "spam"):
        someone = person(plain, name)
        for key in keys:
            choice = "false" if name == "spam" and key % 2 else "true"
            handle = lease_of(plain, someone, key).handle
            send(plain, source, someone, [sent(handle, choice)])

    def skills() -> dict[str, Skill]:
        with plain.workspace.catalogue.read() as connection:
            return read_skills(connection)

    with at_work(plain):
        assert comes_true(lambda: "open" not in plain.labels().values())
    assert set(plain.labels().values()) == {"same"}
    assert skills()["spam"].sensitivity < 0.8 < skills()["ann"].sensitivity
