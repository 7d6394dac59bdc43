from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene

from icf.annotate.posterior.dawid_skene import FLAT, Answers, fit
from icf.annotate.posterior.skills import NEW, Skill


def crowd(
    seed: int, *, questions: int = 600, votes: int = 5, spammers: int = 2
) -> tuple[Answers, np.ndarray]:
    """Answers of ten people, some of whom guess, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.random(questions) < 0.6
    right = np.r_[random.uniform(0.8, 0.97, 10 - spammers), np.full(spammers, 0.5)]
    asked = np.repeat(np.arange(questions), votes)
    people = np.concatenate([random.permutation(10)[:votes] for _ in range(questions)])
    correct = random.random(len(asked)) < right[people]
    return (
        Answers(
            question=asked,
            person=people,
            yes=truth[asked] == correct,
            prior=np.full(questions, np.nan),
            known=np.full(questions, np.nan),
            people=10,
        ),
        truth,
    )


@pytest.mark.filterwarnings("ignore:The .* keyword")
@pytest.mark.parametrize("seed", range(3))
def test_with_flat_priors_it_agrees_with_crowd_kit(seed: int) -> None:
    answers, _ = crowd(seed)
    table = pd.DataFrame(
        {
            "task": answers.question,
            "worker": answers.person,
            "label": answers.yes.astype(int),
        }
    )
    theirs = DawidSkene(n_iter=500, tol=1e-9).fit_predict_proba(table)
    ours = fit(answers, FLAT)
    assert np.abs(ours.posterior - theirs[1].sort_index().to_numpy()).max() < 1e-3


def test_it_is_what_exact_enumeration_gives_for_known_coins() -> None:
    """With the coins held still, the probability is the sum over both truths."""
    coins = [Skill(9e6, 1e6, 8e6, 2e6), Skill(7e6, 3e6, 6e6, 4e6)]
    both = (False, True)
    for first, second, prior in itertools.product(both, both, (0.2, 0.5, 0.9)):
        # So many known questions hold the coins at what they are.
        counts = np.array([list(vars(each).values()) for each in coins]) / 1e4
        known, person, yes = [], [], []
        for who, row in enumerate(counts.astype(int)):
            kinds = ((1.0, True), (1.0, False), (0.0, False), (0.0, True))
            for number, (truth, is_yes) in zip(row, kinds, strict=True):
                known += [truth] * number
                person += [who] * number
                yes += [is_yes] * number
        size = len(known)
        answers = Answers(
            question=np.array([*range(size), size, size]),
            person=np.array([*person, 0, 1]),
            yes=np.array([*yes, first, second]),
            prior=np.array([np.nan] * size + [math.log(prior / (1 - prior))]),
            known=np.array([*known, np.nan]),
            people=2,
        )
        weight = {True: prior, False: 1 - prior}
        for each, said in zip(coins, (first, second), strict=True):
            weight[True] *= each.sensitivity if said else 1 - each.sensitivity
            weight[False] *= 1 - each.specificity if said else each.specificity
        exact = weight[True] / (weight[True] + weight[False])
        assert fit(answers, FLAT).posterior[-1] == pytest.approx(exact, abs=0.003)


def test_it_finds_who_guesses() -> None:
    answers, truth = crowd(7, questions=2000)
    found = fit(answers)
    right = [(each.sensitivity + each.specificity) / 2 for each in found.skills]
    assert max(right[8:]) < 0.6 < 0.75 < min(right[:8])
    votes = np.bincount(answers.question, np.where(answers.yes, 1, -1)) > 0
    wrong = (found.posterior > 0.5) != truth
    assert wrong.mean() < (votes != truth).mean() / 1.5


def test_known_questions_anchor_people_whom_all_others_contradict() -> None:
    """Three who always say yes do not outvote one whom gold shows to be right."""
    known = np.array([1.0, 0.0] * 30 + [np.nan] * 20)
    asked = np.repeat(np.arange(80), 4)
    person = np.tile(np.arange(4), 80)
    truth = np.arange(80) % 2 == 0
    yes = np.where(person == 0, truth[asked], True)
    answers = Answers(asked, person, yes, np.full(80, np.nan), known, 4)
    found = fit(answers)
    assert ((found.posterior > 0.5) == truth).all()
    blind = Answers(asked, person, yes, answers.prior, np.full(80, np.nan), 4)
    assert fit(blind).skills[0].specificity < found.skills[0].specificity


def test_a_question_without_answers_keeps_its_prior() -> None:
    answers = Answers(
        question=np.array([0]),
        person=np.array([0]),
        yes=np.array([True]),
        prior=np.array([np.nan, math.log(0.2 / 0.8)]),
        known=np.full(2, np.nan),
        people=2,
    )
    found = fit(answers)
    assert found.posterior[1] == pytest.approx(0.2)
    assert found.skills[1] == NEW


def test_nobody_said_anything() -> None:
    none = np.empty(0)
    empty = Answers(
        none.astype(int), none.astype(int), none.astype(bool), none, none, 0
    )
    for prior in (NEW, FLAT):
        found = fit(empty, prior)
        assert (len(found.posterior), found.skills, found.class_prior) == (0, (), 0.5)
