"""Drop faces of which the detector is too unsure; they stay in the catalogue.

Detection stores faces down to `icf.settings.LEAST_SCORE`, so that the setting can be
changed without looking at the pictures again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class Score(ThresholdStep):
    """Keeps a face whose score is at least ``min_score``."""

    name: ClassVar[str] = "score"
    subject: ClassVar[Subject] = "face"

    min_score: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The detector's score."""
        return (
            Threshold(
                face.c.score,
                FaceReason.LOW_SCORE,
                at_least=self.min_score,
                model=face.c.detector,
            ),
        )
