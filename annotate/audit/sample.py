"""Draw the labels that are checked: uniformly, without replacement, from each part.

The parts are the labels *same*, which releases contain; those of them in a test, where
a release has noted which faces its test has; and the labels *different*. Each label has
a place that the seed draws, and each part gives those with its first places. So a label
of the test that is drawn for all *same* labels is also one of those drawn for the test,
and is looked at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from icf.annotate.audit.bounds import finite_size, sample_size
from icf.annotate.audit.population import FinalLabel

#: The bound of a part: for samples that are small beside it, or for few labels.
Bound = Literal["clopper-pearson", "finite"]

ACCEPTS, TEST, REJECTS = "accepts", "test", "rejects"

#: What each part is, in words.
PARTS = {
    ACCEPTS: "faces labelled as their character",
    TEST: "those of them in the test of a release",
    REJECTS: "faces labelled as somebody else",
}


@dataclass(frozen=True)
class Goal:
    """What an audit is to prove.

    Attributes:
        max_error: of each part at most this share of labels is wrong.
        confidence: how sure this is, e.g. 0.95.
        allowed: wrong labels that a sample may have.
        finite: use the bound of few labels for every part; it needs fewer checks.
    """

    max_error: float
    confidence: float
    allowed: int = 0
    finite: bool = False


@dataclass(frozen=True)
class Part:
    """Labels that are certified together.

    Attributes:
        labels: how many there are.
        checked: how many of them are drawn.
        allowed: how many of these may be wrong.
        bound: which bound is computed of them.
    """

    labels: int
    checked: int
    allowed: int
    bound: Bound


@dataclass(frozen=True)
class Drawn:
    """A label to check, and the parts that it stands for."""

    label: FinalLabel
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """The labels to check, in an order that says nothing about them."""

    parts: Mapping[str, Part]
    drawn: Sequence[Drawn]


def size(labels: int, goal: Goal) -> Part:
    """Decide how many labels of a part are checked.

    A part that has fewer labels than the Clopper-Pearson bound needs gets the bound of
    few labels.
    """
    checked = sample_size(goal.max_error, goal.confidence, goal.allowed)
    if checked <= labels and not goal.finite:
        return Part(labels, checked, goal.allowed, "clopper-pearson")
    few, allowed = finite_size(goal.max_error, goal.confidence, goal.allowed, labels)
    return Part(labels, few, allowed, "finite")


def draw(
    labels: Collection[FinalLabel], test: Collection[int], goal: Goal, seed: int
) -> Sample:
    """Draw the sample of each part that has labels.

    Args:
        labels: all final labels.
        test: faces of a release's test.
        goal: what is to be proved.
        seed: another one draws others.
    """
    ordered = sorted(labels, key=lambda each: (place(each, seed), each.face_id))
    same = [each for each in ordered if each.label == "same"]
    members = {
        ACCEPTS: same,
        TEST: [each for each in same if each.face_id in test],
        REJECTS: [each for each in ordered if each.label == "different"],
    }
    parts = {name: size(len(some), goal) for name, some in members.items() if some}
    chosen: dict[int, list[str]] = {}
    for name, part in parts.items():
        for each in members[name][: part.checked]:
            chosen.setdefault(id(each), []).append(name)
    found = ((each, chosen.get(id(each))) for each in ordered)
    return Sample(parts, [Drawn(each, tuple(names)) for each, names in found if names])


def place(label: FinalLabel, seed: int) -> bytes:
    """Where a label stands in the order that a seed draws."""
    return hashlib.sha256(f"{seed}\n{label.name}".encode()).digest()
