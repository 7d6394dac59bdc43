"""What a rule that makes labels of answers works with, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from icf.codes import Choice, Label


@dataclass(frozen=True)
class Said:
    """One person's answer to a question, as it counts now.

    Attributes:
        annotator: who said it.
        choice: what was said; of a reference itself "it is wrong" is "no".
        decides: whether an expert said it to settle a contradiction.
        at: UTC epoch seconds of the answer.
        stored_at: UTC epoch seconds when it came into the catalogue.
    """

    annotator: str
    choice: Choice
    decides: bool = False
    at: float = 0.0
    stored_at: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """All that a label follows from.

    Attributes:
        said: one answer a person, in the order in which they were stored.
        prior: the probability that the face is the character, as a calibrated model
            had it when the question was asked; None where no model may say so.
    """

    said: tuple[Said, ...]
    prior: float | None = None


@dataclass(frozen=True)
class Settled:
    """A label, and what it was held against.

    Attributes:
        label: what follows.
        value: what was measured: agreeing answers, or a probability of the label.
        threshold: what settles a question, in the same unit.
        posterior: the probability that it is the character; None where the rule only
            counts.
        by_expert: whether an expert settled it, whatever the others say.
    """

    label: Label
    value: float
    threshold: float
    posterior: float | None = None
    by_expert: bool = False


class Rule(Protocol):
    """Makes a label of answers."""

    @property
    def uses_priors(self) -> bool:
        """Whether `settle` wants `Evidence.prior`."""
        ...

    def settle(self, evidence: Evidence) -> Settled:
        """Say what follows from the answers to one question."""
        ...


#: The label that each answer asks for.
LABEL_OF = {
    Choice.TRUE: Label.SAME,
    Choice.FALSE: Label.DIFFERENT,
    Choice.UNSURE: Label.UNSURE,
    Choice.NOT_A_FACE: Label.NOT_A_FACE,
    Choice.WRONG_REFERENCE: Label.WRONG_REFERENCE,
}


def decision_in(said: tuple[Said, ...]) -> Choice | None:
    """What an expert decided, if one did; of several experts the newest.

    >>> ann = Said("ann", Choice.TRUE)
    >>> decision_in((ann,)), str(decision_in((ann, Said("eve", Choice.FALSE, True))))
    (None, 'false')
    """
    experts = [each for each in reversed(said) if each.decides]
    return max(experts, key=lambda each: each.at).choice if experts else None
