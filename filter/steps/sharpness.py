"""Blurred faces are out.

The Laplacian variance depends on scale, so `icf.filter.steps.detect` measures it on the
tight crop of the face, reduced to a fixed size and never enlarged.
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
class MeasuredFace(Item):
    """A face and the Laplacian variance of its crop."""

    sharpness: float


@dataclass(frozen=True)
class Sharpness(Step[MeasuredFace]):
    """Keeps a face whose Laplacian variance is at least the minimum (paper, 3.2)."""

    name: ClassVar[str] = "sharpness"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    min_sharpness: float

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[MeasuredFace]:
        """Read what was measured when the face was found."""
        query = sa.select(face.c.id, face.c.sharpness)
        return [
            MeasuredFace(row.id, row.sharpness)
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[MeasuredFace]) -> list[Outcome]:
        """Hold each variance against the threshold."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: MeasuredFace) -> Outcome:
        passed = item.sharpness >= self.min_sharpness
        reason = FaceReason.OK if passed else FaceReason.BLURRED
        return Outcome(
            item.id,
            passed,
            reason.value,
            value=item.sharpness,
            threshold=self.min_sharpness,
        )
