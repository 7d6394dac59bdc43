"""Turn the answers to one question into its label."""

from __future__ import annotations

from collections import Counter

from icf.codes import Choice, Label

_LABELS = {
    Choice.TRUE: Label.SAME,
    Choice.FALSE: Label.DIFFERENT,
    Choice.UNSURE: Label.UNSURE,
}


def label_of(answers: Counter[Choice], needed: int) -> Label:
    """The label that the answers agree on.

    A choice that ``needed`` people made settles the question, unless as many as that
    made another one too: then people contradict each other, and it stays open.

    >>> str(label_of(Counter({Choice.TRUE: 2, Choice.FALSE: 1}), 2))
    'same'
    >>> str(label_of(Counter({Choice.TRUE: 2, Choice.FALSE: 2}), 2))
    'open'
    """
    reached = [choice for choice, count in answers.items() if count >= needed]
    return _LABELS[reached[0]] if len(reached) == 1 else Label.OPEN
