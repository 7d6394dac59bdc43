"""Drop pictures that are too small or too long to show a face worth a question.

The decoder has fixed limits of its own (`icf.images.header`), which apply before
anything is decoded; these are the user's, for the stored size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import image
from icf.codes import ImageReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep
from icf.filter.steps.measures import larger, smaller


@dataclass(frozen=True)
class Aspect(ThresholdStep):
    """Keeps an image that is large enough and no strip.

    Args:
        min_side: pixels of the shorter side, at least.
        max_aspect: longer side over shorter side, at most.
    """

    name: ClassVar[str] = "aspect"
    subject: ClassVar[Subject] = "image"

    min_side: int
    max_aspect: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The longer side over the shorter one, then the shorter one."""
        width, height = image.c.width, image.c.height
        shorter, longer = smaller(width, height), larger(width, height)
        aspect = sa.cast(longer, sa.Double) / shorter
        return (
            Threshold(aspect, ImageReason.BAD_ASPECT, at_most=self.max_aspect),
            Threshold(shorter, ImageReason.TOO_SMALL, at_least=self.min_side),
        )
