"""A question that can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.codes import Chosen


@dataclass(frozen=True)
class Proposal:
    """A question that can be asked, and the reason.

    Attributes:
        value: the probability that the face is the character, or the score of the
            suspicion.
        model: the embedder behind the probability.
        suspicion: kind and id of the suspicion to settle, if any.
        chosen: how it was chosen.
        inclusion: with what probability; None if it is about another character than
            identity's choice.
        probability: that the face is the character; None likewise.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    value: float
    model: str | None
    chosen: Chosen
    suspicion: str | None = None
    inclusion: float | None = None
    probability: float | None = None


def proposal_of(row: sa.Row[Any], chosen: Chosen, inclusion: float) -> Proposal:
    """Make a question of a row of a frame (`icf.catalogue.sampling`)."""
    return Proposal(
        row.id,
        row.character_id,
        row.reference_face_id,
        row.probability,
        row.embedder,
        chosen,
        inclusion=inclusion,
        probability=row.probability,
    )


def interleave(first: Sequence[Proposal], second: Sequence[Proposal]) -> list[Proposal]:
    """Mix two lists evenly, keeping the order of each."""
    positions = [
        ((index + 0.5) / len(some), number, each)
        for number, some in enumerate((first, second))
        for index, each in enumerate(some)
    ]
    positions.sort(key=lambda entry: entry[:2])
    return [each for _, _, each in positions]
