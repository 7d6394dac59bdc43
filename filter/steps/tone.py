"""Faces that are nearly black, or nearly one colour, are out: nobody could name them.

Both measures are of the grey tight crop, 0 to 255, from the decode that found the face.
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
class TonedFace(Item):
    """A face with the mean and the standard deviation of its grey values.

    They are None of a face that an earlier version of the program found.
    """

    brightness: float | None
    contrast: float | None


@dataclass(frozen=True)
class Tone(Step[TonedFace]):
    """Keeps a face that is neither dark nor flat, or was never measured.

    Args:
        min_brightness: mean grey value, at least.
        min_contrast: standard deviation of the grey values, at least.
    """

    name: ClassVar[str] = "tone"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    min_brightness: float
    min_contrast: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[TonedFace]:
        """Read what was measured when the face was found."""
        query = sa.select(face.c.id, face.c.brightness, face.c.contrast)
        return [
            TonedFace(row.id, row.brightness, row.contrast)
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[TonedFace]) -> list[Outcome]:
        """Hold both measures against their thresholds."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: TonedFace) -> Outcome:
        bright, contrast = item.brightness, item.contrast
        if bright is not None and bright < self.min_brightness:
            reason = FaceReason.DARK.value
            return Outcome(item.id, False, reason, bright, self.min_brightness)
        passed = contrast is None or contrast >= self.min_contrast
        reason = (FaceReason.OK if passed else FaceReason.FLAT).value
        return Outcome(item.id, passed, reason, contrast, self.min_contrast)
