"""Settle questions by the probability that the answers of all people give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from icf.annotate.posterior.skills import NEW, Skill
from icf.annotate.rule import LABEL_OF, Evidence, Settled, decision_in
from icf.annotate.votes import agreed_label
from icf.codes import Choice, Label

#: Answers about the character; the others say that there is nothing to compare.
_ABOUT_IT = (Choice.TRUE, Choice.FALSE)
_NOTHING_TO_COMPARE = (Choice.NOT_A_FACE, Choice.WRONG_REFERENCE)


@dataclass(frozen=True)
class PosteriorRule:
    """A question is settled when its probability is certain enough either way.

    The log odds of being the character are those of the prior plus what each person's
    answer is worth (`Skill.log_odds`). The prior is capped at `certainty`, so it never
    settles a question without an answer, nor against the only answer. "Cannot tell"
    moves nothing. "No face" and "wrong reference" settle a question by a number of
    agreeing answers, as long as nobody compared the faces; of both kinds, the answers
    contradict each other.

    Attributes:
        certainty: the probability that settles a question, over 0.5.
        max_votes: answers after which an expert decides, or people cannot tell.
        needed: agreeing answers that say that there is nothing to compare.
        skills: by name; people who are not in it are new.
        class_prior: the probability where no model says anything.
    """

    certainty: float
    max_votes: int
    needed: int = 1
    skills: Mapping[str, Skill] = field(default_factory=dict)
    class_prior: float = 0.5

    @property
    def uses_priors(self) -> bool:
        """A calibrated model's probability counts."""
        return True

    def settle(self, evidence: Evidence) -> Settled:
        """Weigh the answers.

        The value is the probability of the likelier of the two.
        """
        count = Counter(each.choice for each in evidence.said)
        posterior = self.probability(evidence)
        label = self._label(count, posterior)
        value, threshold = max(posterior, 1 - posterior), self.certainty
        decided = decision_in(evidence.said)
        if decided is not None:
            label = LABEL_OF[decided]
        if label in map(LABEL_OF.__getitem__, _NOTHING_TO_COMPARE):
            value, threshold = float(max(count.values())), float(self.needed)
        return Settled(label, value, threshold, posterior, decided is not None)

    def probability(self, evidence: Evidence) -> float:
        """The probability that it is the character, given all yes and no answers."""
        prior = self.class_prior if evidence.prior is None else evidence.prior
        cap = _log_odds(self.certainty)
        odds = min(max(_log_odds(prior), -cap), cap)
        for each in evidence.said:
            if each.choice in _ABOUT_IT:
                yes, no = self._worth.get(each.annotator, _WORTH_OF_NEW)
                odds += yes if each.choice is Choice.TRUE else no
        return _probability(odds)

    @cached_property
    def _worth(self) -> Mapping[str, tuple[float, float]]:
        """What everybody's yes and no are worth, in log odds."""
        return {name: _worth_of(each) for name, each in self.skills.items()}

    def _label(self, count: Counter[Choice], posterior: float) -> Label:
        compared = sum(count[each] for each in _ABOUT_IT)
        nothing = sum(count[each] for each in _NOTHING_TO_COMPARE)
        if not compared:
            without = {each: count[each] for each in _NOTHING_TO_COMPARE}
            label = agreed_label(Counter(without), self.needed)
        elif nothing >= self.needed:
            label = Label.OPEN
        elif posterior >= self.certainty:
            label = Label.SAME
        elif posterior <= 1 - self.certainty:
            label = Label.DIFFERENT
        else:
            label = Label.OPEN
        if label is Label.OPEN and count.total() >= self.max_votes:
            unsure = count[Choice.UNSURE] * 2 > count.total()
            return Label.UNSURE if unsure else Label.DISPUTED
        return label


def _worth_of(skill: Skill) -> tuple[float, float]:
    return skill.log_odds(yes=True), skill.log_odds(yes=False)


_WORTH_OF_NEW = _worth_of(NEW)


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(inside / (1 - inside))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(log_odds, -700), 700)))
