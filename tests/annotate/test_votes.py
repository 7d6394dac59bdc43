from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.rule import Evidence, Said
from icf.annotate.votes import VotesRule, agreed_label
from icf.codes import Choice, Label

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE

CASES = [
    ([], 1, Label.OPEN),
    ([T], 1, Label.SAME),
    ([F], 1, Label.DIFFERENT),
    ([U], 1, Label.UNSURE),
    ([T], 2, Label.OPEN),
    ([T, T], 2, Label.SAME),
    ([T, F], 1, Label.OPEN),
    ([T, F, T], 2, Label.SAME),
    ([T, F, T, F], 2, Label.OPEN),
    ([T, U], 1, Label.OPEN),
    ([F, U, F], 2, Label.DIFFERENT),
]


@pytest.mark.parametrize(("answers", "needed", "label"), CASES)
def test_agreeing_answers_settle_a_question_and_contradictions_do_not(
    answers: list[Choice], needed: int, label: Label
) -> None:
    assert agreed_label(Counter(answers), needed) is label


@given(st.lists(st.sampled_from([T, F, U])), st.integers(1, 4))
def test_a_settled_question_has_the_votes_and_no_other_choice_has(
    answers: list[Choice], needed: int
) -> None:
    label = agreed_label(Counter(answers), needed)
    enough = [choice for choice in Choice if answers.count(choice) >= needed]
    assert (label is not Label.OPEN) == (len(enough) == 1)
    assert label is agreed_label(Counter(reversed(answers)), needed)


def evidence(*answers: Choice | Said) -> Evidence:
    """Answers of as many people."""
    said = (
        each if isinstance(each, Said) else Said(f"person {number}", each)
        for number, each in enumerate(answers)
    )
    return Evidence(tuple(said))


def test_answers_that_contradict_each_other_go_to_an_expert_after_so_many() -> None:
    rule = VotesRule(needed=2, max_votes=5)
    assert rule.settle(evidence(T, F, T, F)).label is Label.OPEN
    assert rule.settle(evidence(T, F, T, F, T)).label is Label.DISPUTED
    # As many agree as are needed, and nobody else does.
    assert rule.settle(evidence(T, F, T, T, T)).label is Label.SAME


def test_people_who_agree_do_not_contradict_each_other() -> None:
    rule = VotesRule(needed=9, max_votes=3)
    assert rule.settle(evidence(T, T, T)).label is Label.OPEN


def test_an_expert_decides_whatever_others_say_and_the_newest_counts() -> None:
    rule = VotesRule(needed=2, max_votes=3)
    eve = Said("eve", F, decides=True, at=10.0)
    dan = Said("dan", T, decides=True, at=11.0)
    assert rule.settle(evidence(T, T, eve)).label is Label.DIFFERENT
    assert rule.settle(evidence(F, F, dan, eve)).label is Label.SAME


def test_the_value_is_the_number_of_agreeing_answers_and_no_model_is_asked() -> None:
    rule = VotesRule(needed=2)
    settled = rule.settle(evidence(T, F, T))
    assert (settled.value, settled.threshold, settled.posterior) == (2.0, 2.0, None)
    assert not rule.uses_priors
