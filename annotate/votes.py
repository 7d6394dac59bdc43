"""Derive the label of a question from a number of agreeing answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from icf.annotate.rule import LABEL_OF, Evidence, Settled, decision_in
from icf.codes import Choice, Label

#: Labels that are counted even where no question has them.
ALWAYS_COUNTED = (Label.OPEN, Label.SAME, Label.DIFFERENT, Label.UNSURE)


def agreed_label(answers: Counter[Choice], needed: int) -> Label:
    """The label that the answers agree on.

    A question is settled when exactly one choice has ``needed`` votes. If two choices
    have as many, people contradict each other, and the question stays open.

    >>> str(agreed_label(Counter({Choice.TRUE: 2, Choice.FALSE: 1}), 2))
    'same'
    >>> str(agreed_label(Counter({Choice.TRUE: 2, Choice.FALSE: 2}), 2))
    'open'
    """
    reached = [choice for choice, count in answers.items() if count >= needed]
    return LABEL_OF[reached[0]] if len(reached) == 1 else Label.OPEN


@dataclass(frozen=True)
class VotesRule:
    """As many answers as needed agree.

    Attributes:
        needed: number of agreeing answers that settles a question.
        max_votes: answers that contradict each other after which an expert decides.
    """

    needed: int
    max_votes: int = 7

    @property
    def uses_priors(self) -> bool:
        """Nothing but answers counts."""
        return False

    def settle(self, evidence: Evidence) -> Settled:
        """Count the answers.

        The value is the number of those that agree.
        """
        count = Counter(each.choice for each in evidence.said)
        if (decided := decision_in(evidence.said)) is not None:
            agreeing = float(count[decided])
            return Settled(LABEL_OF[decided], agreeing, self.needed, by_expert=True)
        agreeing = float(max(count.values(), default=0))
        label = agreed_label(count, self.needed)
        contradict = len(count) > 1 and count.total() >= self.max_votes
        if label is Label.OPEN and contradict:
            label = Label.DISPUTED
        return Settled(label, agreeing, self.needed)
