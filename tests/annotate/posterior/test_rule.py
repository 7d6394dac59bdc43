from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.posterior.rule import PosteriorRule
from icf.annotate.posterior.skills import NEW, Skill
from icf.annotate.rule import Evidence, Said
from icf.codes import Choice, Label

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE
NO_FACE, WRONG = Choice.NOT_A_FACE, Choice.WRONG_REFERENCE

SPAMMER = Skill(50.0, 50.0, 50.0, 50.0)
EXACT = Skill(95.0, 5.0, 98.0, 2.0)
RULE = PosteriorRule(
    certainty=0.99, max_votes=7, skills={"spam": SPAMMER, "ann": EXACT, "bob": EXACT}
)


def evidence(*said: tuple[str, Choice], prior: float | None = None) -> Evidence:
    return Evidence(tuple(Said(name, choice) for name, choice in said), prior)


def new(*choices: Choice) -> list[tuple[str, Choice]]:
    """Answers of people of whom nothing is known."""
    return [(f"new {number}", choice) for number, choice in enumerate(choices)]


def test_the_probability_is_what_enumeration_gives() -> None:
    for first, second, prior in itertools.product((T, F), (T, F), (0.1, 0.5, 0.8)):
        same, different = prior, 1 - prior
        for choice in (first, second):
            same *= 0.95 if choice is T else 0.05
            different *= 0.02 if choice is T else 0.98
        found = RULE.probability(evidence(("ann", first), ("bob", second), prior=prior))
        assert found == pytest.approx(same / (same + different))


def test_good_people_settle_a_question_with_fewer_answers_than_new_ones() -> None:
    assert RULE.settle(evidence(("ann", T), ("bob", T))).label is Label.SAME
    assert RULE.settle(evidence(("ann", F), ("bob", F))).label is Label.DIFFERENT
    assert RULE.settle(evidence(*new(T, T))).label is Label.OPEN
    assert RULE.settle(evidence(*new(T, T, T))).label is Label.SAME


def test_who_guesses_settles_nothing() -> None:
    before = RULE.probability(evidence(("ann", T)))
    after = RULE.probability(evidence(("ann", T), ("spam", F)))
    assert after == pytest.approx(before)


def test_a_sure_model_needs_one_person_to_agree() -> None:
    sure = RULE.settle(evidence(("ann", T), prior=0.97))
    assert sure.label is Label.SAME
    assert (sure.value, sure.threshold) == (sure.posterior, 0.99)
    assert RULE.settle(evidence(("ann", T))).label is Label.OPEN


@given(st.floats(0, 1), st.sampled_from([T, F]))
def test_no_model_settles_anything_alone_nor_against_the_only_answer(
    prior: float, choice: Choice
) -> None:
    assert RULE.settle(evidence(prior=prior)).label is Label.OPEN
    label = RULE.settle(evidence(("ann", choice), prior=prior)).label
    against = Label.DIFFERENT if choice is T else Label.SAME
    assert label is not against


def test_what_is_not_settled_goes_to_an_expert_after_so_many_answers() -> None:
    contradicting = new(T, F, T, F, T, F)
    assert RULE.settle(evidence(*contradicting)).label is Label.OPEN
    assert RULE.settle(evidence(*new(T, F, T, F, T, F, T))).label is Label.DISPUTED


def test_cannot_tell_moves_nothing_and_counts() -> None:
    said = new(T, U, U)
    assert RULE.probability(evidence(*said)) == RULE.probability(evidence(*said[:1]))
    assert RULE.settle(evidence(*new(U, U, U))).label is Label.OPEN
    assert RULE.settle(evidence(*new(U, U, U, U, T, F, T))).label is Label.UNSURE
    assert RULE.settle(evidence(*new(U, U, U, T, F, F, T))).label is Label.DISPUTED


@pytest.mark.parametrize(
    ("choice", "label"),
    [(NO_FACE, Label.NOT_A_FACE), (WRONG, Label.WRONG_REFERENCE)],
)
def test_what_says_nothing_of_the_character_settles_as_with_votes(
    choice: Choice, label: Label
) -> None:
    rule = PosteriorRule(certainty=0.99, max_votes=4, needed=2)
    assert rule.settle(evidence(*new(choice))).label is Label.OPEN
    settled = rule.settle(evidence(*new(choice, choice, U)))
    assert (settled.label, settled.value, settled.threshold) == (label, 2.0, 2.0)
    # Who compared the faces contradicts it.
    assert rule.settle(evidence(*new(choice, choice, T))).label is Label.OPEN
    assert rule.settle(evidence(*new(choice, choice, T, T))).label is Label.DISPUTED


def test_an_expert_decides_whatever_the_probability_is() -> None:
    eve = Said("eve", F, decides=True, at=1.0)
    said = (*evidence(("ann", T), ("bob", T)).said, eve)
    settled = RULE.settle(Evidence(said))
    assert (settled.label, settled.by_expert) == (Label.DIFFERENT, True)


@given(st.lists(st.sampled_from([T, F, U, NO_FACE, WRONG]), max_size=9))
def test_the_order_of_answers_changes_nothing(choices: list[Choice]) -> None:
    said = new(*choices)
    there, back = RULE.settle(evidence(*said)), RULE.settle(evidence(*said[::-1]))
    assert there.label is back.label
    assert there.value == pytest.approx(back.value)


def test_nobody_is_taken_for_certain() -> None:
    always = Skill(1e9, 1.0, 1e9, 1.0)
    assert always.log_odds(yes=True) < 5
    assert NEW.log_odds(yes=True) == pytest.approx(-NEW.log_odds(yes=False))
