"""Drop faces of fewer pixels than a person needs to recognise a character."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep
from icf.filter.steps.measures import smaller


@dataclass(frozen=True)
class Size(ThresholdStep):
    """Keeps a face whose shorter side is at least ``min_face`` pixels (paper, 3.2)."""

    name: ClassVar[str] = "size"
    subject: ClassVar[Subject] = "face"

    min_face: int

    def thresholds(self) -> tuple[Threshold, ...]:
        """The shorter side of the box."""
        side = smaller(face.c.x2 - face.c.x1, face.c.y2 - face.c.y1)
        return (Threshold(side, FaceReason.TOO_SMALL, at_least=self.min_face),)
