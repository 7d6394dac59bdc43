"""Fit everybody's two coins and every question's probability at once.

Expectation maximisation (Dawid and Skene 1979) with Beta priors on the coins, prior
odds of each question, and questions whose answer is known. Every step is a sum over
the answers, so a million of them take seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from icf.annotate.posterior.skills import NEW, Skill

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Pseudo-counts of nothing: the likelihood alone counts.
FLAT = Skill(0.0, 0.0, 0.0, 0.0)

#: Probabilities of a coin stay this far from 0 and 1.
_EDGE = 1e-9
_MOST_STEPS = 500
#: A smaller change of any probability changes no label.
_CLOSE = 1e-6


@dataclass(frozen=True)
class Answers:
    """Yes and no answers, n of them, about q questions by p people.

    Attributes:
        question: shape (n,), from 0 to q - 1.
        person: shape (n,), from 0 to p - 1.
        yes: shape (n,).
        prior: shape (q,), log odds of being the character before any answer; NaN: the
            share of such questions that are, which the fit finds.
        known: shape (q,), 1.0 or 0.0 where the truth is known; NaN elsewhere.
        people: p.
    """

    question: IntArray
    person: IntArray
    yes: BoolArray
    prior: FloatArray
    known: FloatArray
    people: int


@dataclass(frozen=True)
class Fit:
    """What explains the answers best.

    Attributes:
        posterior: shape (q,), the probability of being the character.
        skills: of each person, with the prior's pseudo-counts.
        class_prior: share of the questions without a prior that are the character.
        steps: of the expectation maximisation.
    """

    posterior: FloatArray
    skills: tuple[Skill, ...]
    class_prior: float
    steps: int


def fit(answers: Answers, prior: Skill = NEW) -> Fit:
    """Fit by expectation maximisation.

    It begins with the coins that the known questions show, and of a person without any
    with those of somebody new: who is right where the truth is known is not outvoted
    by many who are not.

    Args:
        answers: of everybody.
        prior: pseudo-counts that everybody begins with; `FLAT` for none.
    """
    is_known = ~np.isnan(answers.known)
    counts = _maximise(_about(answers, is_known), answers.known, NEW)
    class_prior, steps, change = 0.5, 0, math.inf
    posterior = np.full(len(answers.prior), math.inf)
    while change >= _CLOSE and steps < _MOST_STEPS:
        new = _expect(answers, counts, class_prior)
        new[is_known] = answers.known[is_known]
        change = float(np.abs(new - posterior).max(initial=0.0))
        posterior, steps = new, steps + 1
        counts = _maximise(answers, posterior, prior)
        class_prior = _class_prior(answers, posterior, prior)
    skills = tuple(Skill(*map(float, row)) for row in counts)
    return Fit(posterior, skills, class_prior, steps)


def _about(answers: Answers, which: BoolArray) -> Answers:
    """The answers to some of the questions."""
    some = which[answers.question]
    return replace(
        answers,
        question=answers.question[some],
        person=answers.person[some],
        yes=answers.yes[some],
    )


def _maximise(answers: Answers, posterior: FloatArray, prior: Skill) -> FloatArray:
    """Pseudo-counts of everybody's right and wrong answers, shape (p, 4)."""
    same = posterior[answers.question]

    def sums(weights: FloatArray) -> FloatArray:
        made = np.bincount(answers.person, weights, minlength=answers.people)
        return made.astype(np.float64)

    columns = (
        prior.same_right + sums(same * answers.yes),
        prior.same_wrong + sums(same * ~answers.yes),
        prior.different_right + sums((1 - same) * ~answers.yes),
        prior.different_wrong + sums((1 - same) * answers.yes),
    )
    return np.stack(columns, axis=1)


def _class_prior(answers: Answers, posterior: FloatArray, prior: Skill) -> float:
    """The share of the character among the questions of which no model says anything.

    With `FLAT` it is the plain share; else one question more of each kind is counted.
    """
    free = posterior[np.isnan(answers.prior) & np.isnan(answers.known)]
    more = 0.0 if prior == FLAT else 1.0
    if not len(free) + more:
        return 0.5
    return float((free.sum() + more) / (len(free) + 2 * more))


def _expect(answers: Answers, counts: FloatArray, class_prior: float) -> FloatArray:
    """The probability of each question, given everybody's coins, shape (q,)."""
    sensitivity = _coin(counts[:, 0], counts[:, 1])
    specificity = _coin(counts[:, 2], counts[:, 3])
    of_yes = np.log(sensitivity) - np.log1p(-specificity)
    of_no = np.log1p(-sensitivity) - np.log(specificity)
    worth = np.where(answers.yes, of_yes[answers.person], of_no[answers.person])
    inside = min(max(class_prior, _EDGE), 1 - _EDGE)
    start = np.where(
        np.isnan(answers.prior), np.log(inside / (1 - inside)), answers.prior
    )
    size = len(answers.prior)
    odds = start + np.bincount(answers.question, weights=worth, minlength=size)
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))))


def _coin(right: FloatArray, wrong: FloatArray) -> FloatArray:
    """The probability of a right answer; one half of those who gave none."""
    total = right + wrong
    share = np.divide(right, total, out=np.full_like(total, 0.5), where=total > 0)
    return np.clip(share, _EDGE, 1 - _EDGE)
