"""Photographs stay in the catalogue, and are out of the data set.

`icf.filter.steps.detect` measures, in its one decode, how likely a picture is a
photograph (`icf.models.photo`). The bundled threshold is high: a photograph that gets
through costs a person a second, a drawing that is thrown away is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import image
from icf.codes import ImageReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject


@dataclass(frozen=True)
class MeasuredImage(Item):
    """An image, how likely it is a photograph (0 to 1), and by which model."""

    photo: float | None
    model: str | None


@dataclass(frozen=True)
class Photo(Step[MeasuredImage]):
    """Keeps an image unless it is a photograph for sure.

    One that was never measured, because it went through `detect` before there was
    anything to measure it with, passes: nothing is thrown away unseen.
    """

    name: ClassVar[str] = "photo"
    subject: ClassVar[Subject] = "image"
    stored: ClassVar[bool] = True

    max_photo: float

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[MeasuredImage]:
        """Read what was measured when the image was decoded."""
        query = sa.select(image.c.id, image.c.photo, image.c.photo_model)
        return [
            MeasuredImage(row.id, row.photo, row.photo_model)
            for row in by_ids(connection, query, image.c.id, ids)
        ]

    def judge(self, batch: Sequence[MeasuredImage]) -> list[Outcome]:
        """Hold each probability against the threshold."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: MeasuredImage) -> Outcome:
        passed = item.photo is None or item.photo <= self.max_photo
        reason = ImageReason.OK if passed else ImageReason.PHOTOGRAPH
        return Outcome(
            item.id,
            passed,
            reason.value,
            value=item.photo,
            threshold=self.max_photo,
            model=item.model,
        )
