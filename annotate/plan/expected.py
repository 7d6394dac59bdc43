"""What becomes of a question on average: its answers, and how often it is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from icf.annotate.rule import Evidence, Rule, Said
from icf.codes import Choice, Label

#: Answers after which a question is given up here, whatever the rule says.
_MOST = 25

_CHOICES = (Choice.TRUE, Choice.FALSE, Choice.UNSURE)

#: How many people said yes, no, and that they cannot tell.
_Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Answering:
    """How people answer.

    Attributes:
        error: the probability that a yes or no is wrong, under 0.5.
        unsure: the probability that somebody cannot tell.
    """

    error: float
    unsure: float = 0.0

    def probabilities(self, *, same: bool) -> _Shares:
        """Of a yes, a no, and "cannot tell", where the truth is this."""
        said = 1 - self.unsure
        right, wrong = said * (1 - self.error), said * self.error
        return (right, wrong, self.unsure) if same else (wrong, right, self.unsure)


_Shares = tuple[float, float, float]


@dataclass(frozen=True)
class Outcome:
    """What becomes of one question, on average.

    Attributes:
        answers: how many it takes.
        same: the probability of the label *same*.
        wrong_same: the probability that it gets it and is another character.
        different, wrong_different: the same of the label *different*.
        disputed: the probability that an expert has to decide.
    """

    answers: float
    same: float
    wrong_same: float
    different: float
    wrong_different: float
    disputed: float


def expect(
    rule: Rule, answering: Answering, probability: float, prior: float | None
) -> Outcome:
    """Follow a question through all answers that it may get.

    Every person is as good as the others, and new to the rule. The rule itself says
    when a question is settled.

    Args:
        rule: how labels follow from answers.
        answering: how people answer.
        probability: that the face is the character.
        prior: the same as the rule may know it; None: no model may say so.
    """
    same = _follow(rule, answering.probabilities(same=True), prior)
    other = _follow(rule, answering.probabilities(same=False), prior)
    rest = 1 - probability
    return Outcome(
        answers=probability * same.answers + rest * other.answers,
        same=probability * same.labels[Label.SAME] + rest * other.labels[Label.SAME],
        wrong_same=rest * other.labels[Label.SAME],
        different=probability * same.labels[Label.DIFFERENT]
        + rest * other.labels[Label.DIFFERENT],
        wrong_different=probability * same.labels[Label.DIFFERENT],
        disputed=probability * same.labels[Label.DISPUTED]
        + rest * other.labels[Label.DISPUTED],
    )


@dataclass(frozen=True)
class _Followed:
    """Expected answers, and the probability of each label, where the truth is known."""

    answers: float
    labels: dict[Label, float]


def _follow(rule: Rule, shares: _Shares, prior: float | None) -> _Followed:
    """Go from one number of answers to the next, with the probability of each count."""
    now: dict[_Counts, float] = {(0, 0, 0): 1.0}
    labels: dict[Label, float] = defaultdict(float)
    answers = 0.0
    for _ in range(_MOST):
        following: dict[_Counts, float] = defaultdict(float)
        for counts, weight in now.items():
            answers += weight
            for place, share in enumerate(shares):
                if share:
                    more = tuple(n + (at == place) for at, n in enumerate(counts))
                    following[more[0], more[1], more[2]] += weight * share
        now = {}
        for counts, weight in following.items():
            label = rule.settle(Evidence(tuple(_said(counts)), prior)).label
            if label is Label.OPEN:
                now[counts] = weight
            else:
                labels[label] += weight
        if not now:
            break
    return _Followed(answers, labels)


def _said(counts: _Counts) -> Iterator[Said]:
    """So many answers, each of another person."""
    number = 0
    for choice, count in zip(_CHOICES, counts, strict=True):
        for _ in range(count):
            number += 1
            yield Said(f"person {number}", choice)
