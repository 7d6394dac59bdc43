"""Pictures that are too small or too long to show a face worth asking about are out.

The decoder has fixed floors of its own (`icf.images.header`), which hold before
anything is decoded; these are the user's, held against the stored size.
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
class SizedImage(Item):
    """An image and its size in pixels, upright."""

    width: int
    height: int


@dataclass(frozen=True)
class Aspect(Step[SizedImage]):
    """Keeps an image that is large enough and no strip.

    Args:
        min_side: pixels of the shorter side, at least.
        max_aspect: longer side over shorter side, at most.
    """

    name: ClassVar[str] = "aspect"
    subject: ClassVar[Subject] = "image"
    stored: ClassVar[bool] = True

    min_side: int
    max_aspect: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[SizedImage]:
        """Read the sizes that decoding found."""
        query = sa.select(image.c.id, image.c.width, image.c.height)
        return [
            SizedImage(row.id, row.width, row.height)
            for row in by_ids(connection, query, image.c.id, ids)
        ]

    def judge(self, batch: Sequence[SizedImage]) -> list[Outcome]:
        """Hold each size against the thresholds."""
        return [self._judge_one(item) for item in batch]

    def _judge_one(self, item: SizedImage) -> Outcome:
        shorter, longer = sorted((item.width, item.height))
        aspect = longer / shorter
        if aspect > self.max_aspect:
            reason = ImageReason.BAD_ASPECT.value
            return Outcome(item.id, False, reason, aspect, self.max_aspect)
        passed = shorter >= self.min_side
        reason = (ImageReason.OK if passed else ImageReason.TOO_SMALL).value
        return Outcome(item.id, passed, reason, shorter, self.min_side)
