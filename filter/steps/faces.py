"""Drop pictures in which the detector is sure of no face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.codes import ImageReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class HasFaces(ThresholdStep):
    """Keeps an image that has a face whose score is at least ``min_score``.

    Faces of every kind count: whether a face is photographed is judged for the face,
    not for the image.
    """

    name: ClassVar[str] = "faces"
    subject: ClassVar[Subject] = "image"

    min_score: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The best score of the image's faces."""
        best = (
            sa.select(sa.func.max(face.c.score))
            .where(face.c.image_id == image.c.id)
            .scalar_subquery()
        )
        no_face = ImageReason.NO_FACE
        return (Threshold(best, no_face, at_least=self.min_score, required=True),)
