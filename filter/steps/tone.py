"""Drop faces that are nearly black, or nearly one colour: nobody could name them.

Both measures are of the grey tight crop, 0 to 255, from the decode that found the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class Tone(ThresholdStep):
    """Keeps a face that is neither dark nor flat.

    A face without the measures, which an earlier version found, passes.

    Args:
        min_brightness: mean grey value, at least.
        min_contrast: standard deviation of the grey values, at least.
    """

    name: ClassVar[str] = "tone"
    subject: ClassVar[Subject] = "face"

    min_brightness: float
    min_contrast: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The mean, then the standard deviation of the grey values."""
        dark, flat = FaceReason.DARK, FaceReason.FLAT
        return (
            Threshold(face.c.brightness, dark, at_least=self.min_brightness),
            Threshold(face.c.contrast, flat, at_least=self.min_contrast),
        )
