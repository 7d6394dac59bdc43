"""What becomes of one question, against formulas and against people that are played."""

from __future__ import annotations

import random

import pytest

from icf.annotate.plan.expected import Answering, expect
from icf.annotate.posterior.rule import PosteriorRule
from icf.annotate.rule import Evidence, Rule, Said
from icf.annotate.votes import VotesRule
from icf.codes import Choice, Label


def test_one_vote_settles_and_is_wrong_as_often_as_people_are() -> None:
    found = expect(VotesRule(1), Answering(0.1), 0.75, None)
    assert found.answers == 1
    assert found.same == pytest.approx(0.75 * 0.9 + 0.25 * 0.1)
    assert found.wrong_same == pytest.approx(0.25 * 0.1)
    assert found.wrong_different == pytest.approx(0.75 * 0.1)
    assert found.same + found.different == pytest.approx(1)
    assert found.disputed == 0


def test_two_agreeing_votes_take_a_third_where_the_first_differ() -> None:
    found = expect(VotesRule(2), Answering(0.1), 1.0, None)
    assert found.answers == pytest.approx(2 + 2 * 0.9 * 0.1)
    assert found.wrong_different == pytest.approx(0.1**2 + 2 * 0.9 * 0.1 * 0.1)


def test_who_cannot_tell_labels_nothing() -> None:
    found = expect(VotesRule(1), Answering(0.0, unsure=0.25), 1.0, None)
    assert (found.same, found.different) == (0.75, 0)


def test_a_likely_face_takes_fewer_answers_where_the_model_is_believed() -> None:
    rule = PosteriorRule(certainty=0.99, max_votes=7)
    likely, doubtful = (expect(rule, Answering(0.05), p, p) for p in (0.97, 0.5))
    assert likely.answers < doubtful.answers
    assert expect(rule, Answering(0.05), 0.97, None).answers > likely.answers


def played(rule: Rule, p: float, error: float, seed: int) -> tuple[int, Label, bool]:
    """One question before people: how many answered, the label, and the truth."""
    draw = random.Random(seed)
    truth = draw.random() < p
    said: list[Said] = []
    while True:
        choice = Choice.TRUE if truth != (draw.random() < error) else Choice.FALSE
        said.append(Said(f"person {len(said)}", choice))
        label = rule.settle(Evidence(tuple(said), p)).label
        if label is not Label.OPEN:
            return len(said), label, truth


@pytest.mark.parametrize(
    "rule", [VotesRule(3), PosteriorRule(certainty=0.99, max_votes=5)], ids=str
)
def test_it_is_what_the_rule_itself_does_with_people(rule: Rule) -> None:
    many, p, error = 8000, 0.6, 0.2
    found = expect(rule, Answering(error), p, p)
    runs = [played(rule, p, error, seed) for seed in range(many)]
    assert found.answers == pytest.approx(sum(n for n, _, _ in runs) / many, rel=0.03)
    wrong = sum(label is Label.SAME and not truth for _, label, truth in runs) / many
    assert found.wrong_same == pytest.approx(wrong, abs=0.008)
    disputed = sum(label is Label.DISPUTED for _, label, _ in runs) / many
    assert found.disputed == pytest.approx(disputed, abs=0.02)
