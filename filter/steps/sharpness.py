"""Drop blurred and enlarged faces.

By default the sharpness of edges decides, which does not depend on contrast, and the
real resolution (`icf.images.edges`). The paper's measure, the variance of the
Laplacian, decides where it is chosen, and on faces of earlier versions that have no
other. `icf.filter.steps.detect` takes all of them from the tight crop of the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Subject
from icf.engine.threshold import Threshold, ThresholdStep


@dataclass(frozen=True)
class Sharpness(ThresholdStep):
    """Keeps a face that is sharp, and has enough real pixels.

    Args:
        min_sharpness: variance of the Laplacian, at least (paper, 3.2).
        min_edge_sharpness: sharpness of the edges, at least; None: only
            ``min_sharpness`` decides.
        min_resolution: pixels of the shorter side that are real, at least.
    """

    name: ClassVar[str] = "sharpness"
    subject: ClassVar[Subject] = "face"

    min_sharpness: float
    min_edge_sharpness: float | None = None
    min_resolution: float = 0.0

    def thresholds(self) -> tuple[Threshold, ...]:
        """The Laplacian variance alone, or only where there are no other measures."""
        blurred, enlarged = FaceReason.BLURRED, FaceReason.LOW_RESOLUTION
        if self.min_edge_sharpness is None:
            return (Threshold(face.c.sharpness, blurred, at_least=self.min_sharpness),)
        alone = sa.case((face.c.edge_sharpness.is_(None), face.c.sharpness))
        return (
            Threshold(alone, blurred, at_least=self.min_sharpness),
            Threshold(face.c.edge_sharpness, blurred, at_least=self.min_edge_sharpness),
            Threshold(face.c.resolution, enlarged, at_least=self.min_resolution),
        )
