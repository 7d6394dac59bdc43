"""Derive the label of a question from its answers."""

from __future__ import annotations

from collections import Counter

from icf.codes import Choice, Label

_LABELS = {
    Choice.TRUE: Label.SAME,
    Choice.FALSE: Label.DIFFERENT,
    Choice.UNSURE: Label.UNSURE,
    Choice.NOT_A_FACE: Label.NOT_A_FACE,
    Choice.WRONG_REFERENCE: Label.WRONG_REFERENCE,
}


#: Labels that are counted even where no question has them.
ALWAYS_COUNTED = (Label.OPEN, Label.SAME, Label.DIFFERENT, Label.UNSURE)


def label_of(choice: Choice) -> Label:
    """The label that an answer gives a question if it settles it."""
    return _LABELS[choice]


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
    return _LABELS[reached[0]] if len(reached) == 1 else Label.OPEN
