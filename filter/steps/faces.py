"""A picture in which the detector is sure of no face is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import ImageReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject


@dataclass(frozen=True)
class SeenImage(Item):
    """An image, and the score of its surest face; None where none was stored."""

    best: float | None


@dataclass(frozen=True)
class HasFaces(Step[SeenImage]):
    """Keeps an image that has a face whose score is at least ``min_score``.

    Faces of every kind count: a photographed one is the face's fault, not the image's.
    """

    name: ClassVar[str] = "faces"
    subject: ClassVar[Subject] = "image"
    stored: ClassVar[bool] = True

    min_score: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[SeenImage]:
        """Read the scores of the faces that were stored."""
        best = dict.fromkeys(ids)
        query = sa.select(face.c.image_id, face.c.score)
        for row in by_ids(connection, query, face.c.image_id, ids):
            best[row.image_id] = max(row.score, best[row.image_id] or 0.0)
        return [SeenImage(image_id, score) for image_id, score in best.items()]

    def judge(self, batch: Sequence[SeenImage]) -> list[Outcome]:
        """Hold each best score against the threshold."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: SeenImage) -> Outcome:
        passed = item.best is not None and item.best >= self.min_score
        reason = ImageReason.OK if passed else ImageReason.NO_FACE
        return Outcome(
            item.id,
            passed,
            reason.value,
            value=item.best,
            threshold=self.min_score,
        )
