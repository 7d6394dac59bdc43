"""Merge what people say of a picture into one set of boxes, where they agree.

Two people agree on a picture when they drew equally many boxes and each box of one is a
box of the other, matched one to one by IoU. A group of people agrees when all of them
agree with one of them. The coordinates of a merged box are the medians of theirs, of
two people the means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icf.annotate.boxes.opinion import FloatArray, Opinion, as_boxes
from icf.codes import BoxStatus
from icf.models.overlap import Boxes, iou, matched


@dataclass(frozen=True)
class Rule:
    """When people agree.

    Attributes:
        people: how many must, the setting ``annotate.box_people``.
        iou: from which two boxes are one, the setting ``annotate.box_iou``.
        most: limit of people who are asked, the setting ``annotate.max_votes``.
    """

    people: int
    iou: float
    most: int

    @property
    def enough(self) -> int:
        """People after whom an expert decides, if they do not agree.

        Of two opinions, one has `people` for it then at the latest.

        >>> Rule(2, 0.7, 7).enough, Rule(1, 0.7, 7).enough, Rule(3, 0.7, 4).enough
        (3, 1, 4)
        """
        return max(self.people, min(self.most, 2 * self.people - 1))


@dataclass(frozen=True, eq=False)
class Settled:
    """What follows from all that people say of a picture.

    Attributes:
        status: whether it is settled, and how.
        boxes: shape (n, 4), the merged boxes; none unless it is verified.
        disagreements: shape (n,), one less the mean IoU of people's boxes with each.
        people: how many agree.
    """

    status: BoxStatus
    boxes: FloatArray
    disagreements: FloatArray
    people: int

    @property
    def disagreement(self) -> float:
        """The mean over the boxes, from 0 to 1; of none 0."""
        return float(self.disagreements.mean()) if len(self.disagreements) else 0.0


def settle(
    opinions: Sequence[Opinion], rule: Rule, decided: Opinion | None = None
) -> Settled:
    """Decide what holds for a picture; the order of people does not matter.

    Args:
        opinions: one a person, an expert's among them.
        rule: when people agree.
        decided: what an expert said last; it counts alone.
    """
    ordered = sorted(map(in_order, opinions), key=canonical)
    if decided is not None:
        middle = in_order(decided)
        others = _agreeing(middle, ordered, rule.iou) or [middle]
        return _merged(middle, others, rule.iou, keep=True)
    groups = [(each, _agreeing(each, ordered, rule.iou)) for each in ordered]
    size = max((len(group) for _, group in groups), default=0)
    if size >= rule.people:
        largest = [each for each in groups if len(each[1]) == size]
        found = [_merged(middle, group, rule.iou) for middle, group in largest]
        best = min(range(len(found)), key=lambda n: found[n].disagreement)
        chosen = set(map(id, largest[best][1]))
        # As many people may agree on something else.
        if all(chosen & set(map(id, group)) for _, group in largest):
            return found[best]
    status = BoxStatus.DISPUTED if len(ordered) >= rule.enough else BoxStatus.OPEN
    return Settled(status, as_boxes([]), np.zeros(0), size)


def agree(one: Opinion, other: Opinion, least: float) -> bool:
    """Whether two people say the same of a picture.

    Args:
        one: what one says.
        other: what the other one says.
        least: IoU from which two boxes are one.
    """
    if one.boxes is None or other.boxes is None:
        return one.boxes is other.boxes
    if len(one.boxes) != len(other.boxes):
        return False
    return len(match_boxes(one.boxes, other.boxes, least)) == len(one.boxes)


def match_boxes(
    some: FloatArray, others: FloatArray, least: float
) -> list[tuple[int, int]]:
    """Pair boxes one to one, those that overlap most first.

    Args:
        some: shape (n, 4).
        others: shape (m, 4).
        least: lowest IoU of a pair, above 0.

    Returns:
        Indices of each pair.
    """
    return matched(_plain(some), _plain(others), least)


def _agreeing(
    middle: Opinion, opinions: Sequence[Opinion], least: float
) -> list[Opinion]:
    return [each for each in opinions if agree(middle, each, least)]


def _merged(
    middle: Opinion, group: Sequence[Opinion], least: float, *, keep: bool = False
) -> Settled:
    """Merge the boxes of people who agree with one of them.

    Args:
        middle: that one.
        group: all of them.
        least: IoU from which two boxes are one.
        keep: take that one's boxes as they are.
    """
    if middle.boxes is None:
        nothing = as_boxes([])
        return Settled(BoxStatus.CANNOT_TELL, nothing, np.zeros(0), len(group))
    # Shape (people, n, 4), each box in the place of the one that it matches.
    drawn = np.stack([_placed(middle.boxes, each, least) for each in group])
    merged = middle.boxes if keep else np.median(drawn, axis=0)
    overlap = np.array([_diagonal(each, merged) for each in drawn])
    disagreements = np.clip(1 - overlap.mean(axis=0), 0, 1)
    return Settled(BoxStatus.VERIFIED, merged, disagreements, len(group))


def _placed(boxes: FloatArray, other: Opinion, least: float) -> FloatArray:
    """The boxes of a person, each in the place of the box that it matches."""
    assert other.boxes is not None
    pairs = sorted(match_boxes(boxes, other.boxes, least))
    return other.boxes[[place for _, place in pairs]]


def _diagonal(some: FloatArray, others: FloatArray) -> FloatArray:
    """The IoU of each box with the one in the same place, shape (n,)."""
    return np.diagonal(iou(_plain(some), _plain(others))).astype(np.float64)


def _plain(boxes: FloatArray) -> Boxes:
    return np.asarray(boxes, np.float32)


def in_order(opinion: Opinion) -> Opinion:
    """The same with its boxes in an order that depends on nothing else."""
    if opinion.boxes is None:
        return opinion
    return Opinion(as_boxes(sorted(opinion.boxes.tolist())))


def canonical(opinion: Opinion) -> tuple[int, list[list[float]]]:
    """A key to sort opinions by that does not tell whose they are."""
    if opinion.boxes is None:
        return -1, []
    return len(opinion.boxes), opinion.boxes.tolist()
