"""What the detector is too unsure of is out, and stays in the catalogue.

Detection stores faces down to `icf.settings.LEAST_SCORE`, so that the setting can be
moved without looking at the pictures again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject


@dataclass(frozen=True)
class ScoredFace(Item):
    """A face, and how sure the detector was."""

    score: float
    detector: str


@dataclass(frozen=True)
class Score(Step[ScoredFace]):
    """Keeps a face whose score is at least ``min_score``."""

    name: ClassVar[str] = "score"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    min_score: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[ScoredFace]:
        """Read what the detector said."""
        query = sa.select(face.c.id, face.c.score, face.c.detector)
        return [
            ScoredFace(row.id, row.score, row.detector)
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[ScoredFace]) -> list[Outcome]:
        """Hold each score against the threshold."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: ScoredFace) -> Outcome:
        passed = item.score >= self.min_score
        reason = FaceReason.OK if passed else FaceReason.LOW_SCORE
        return Outcome(
            item.id,
            passed,
            reason.value,
            value=item.score,
            threshold=self.min_score,
            model=item.detector,
        )
