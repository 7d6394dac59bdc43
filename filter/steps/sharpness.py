"""Drop blurred faces.

The Laplacian variance depends on scale, so `icf.filter.steps.detect` measures it on the
tight crop of the face, reduced to a fixed size and never enlarged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class Sharpness(ThresholdStep):
    """Keeps a face whose Laplacian variance is at least the minimum (paper, 3.2)."""

    name: ClassVar[str] = "sharpness"
    subject: ClassVar[Subject] = "face"

    min_sharpness: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The Laplacian variance."""
        blurred = FaceReason.BLURRED
        return (Threshold(face.c.sharpness, blurred, at_least=self.min_sharpness),)
