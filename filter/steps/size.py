"""Faces of fewer pixels than a person needs to recognise a character are out."""

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
class SizedFace(Item):
    """A face and its shorter side in pixels."""

    side: float


@dataclass(frozen=True)
class Size(Step[SizedFace]):
    """Keeps a face whose shorter side is at least ``min_face`` pixels (paper, 3.2)."""

    name: ClassVar[str] = "size"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    min_face: int

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[SizedFace]:
        """Read the boxes."""
        query = sa.select(face.c.id, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        return [
            SizedFace(row.id, min(row.x2 - row.x1, row.y2 - row.y1))
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[SizedFace]) -> list[Outcome]:
        """Hold each shorter side against the threshold."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: SizedFace) -> Outcome:
        passed = item.side >= self.min_face
        reason = FaceReason.OK if passed else FaceReason.TOO_SMALL
        return Outcome(
            item.id, passed, reason.value, value=item.side, threshold=self.min_face
        )
