"""Human faces stay in the catalogue, and are out of the data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject

HUMAN = "human"


@dataclass(frozen=True)
class KindOfFace(Item):
    """What the detector took a face for, and how surely."""

    kind: str
    score: float
    detector: str


@dataclass(frozen=True)
class Kind(Step[KindOfFace]):
    """Keeps cartoon faces; the value of the decision is the detector's score."""

    name: ClassVar[str] = "kind"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[KindOfFace]:
        """Read what the detector said."""
        query = sa.select(face.c.id, face.c.kind, face.c.score, face.c.detector)
        return [
            KindOfFace(row.id, row.kind, row.score, row.detector)
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[KindOfFace]) -> list[Outcome]:
        """Let cartoon faces pass."""
        return [_judge_one(item) for item in batch]


def _judge_one(item: KindOfFace) -> Outcome:
    passed = item.kind != HUMAN
    reason = FaceReason.OK if passed else FaceReason.HUMAN
    return Outcome(item.id, passed, reason.value, value=item.score, model=item.detector)
