"""Drop photographs; they stay in the catalogue.

`icf.filter.steps.detect` measures, in its one decode, how likely a picture is a
photograph (`icf.models.photo`). The bundled threshold is high: a photograph that passes
costs a person a second, a drawing that is dropped is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from icf.catalogue.schema import image
from icf.codes import ImageReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class Photo(ThresholdStep):
    """Keeps an image unless it is a photograph for sure.

    An image without the measure passes: it went through `detect` before there was a
    model for it, and nothing is dropped unseen.
    """

    name: ClassVar[str] = "photo"
    subject: ClassVar[Subject] = "image"

    max_photo: float

    def thresholds(self) -> tuple[Threshold, ...]:
        """The probability of being a photograph, 0 to 1."""
        return (
            Threshold(
                image.c.photo,
                ImageReason.PHOTOGRAPH,
                at_most=self.max_photo,
                model=image.c.photo_model,
            ),
        )
