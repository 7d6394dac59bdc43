from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.votes import agreed_label
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
