"""The combined margin: SphereFace's, ArcFace's and CosFace's at once."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.margins import margin_cosine


class Combined(MarginSoftmax):
    """z_y = s (cos(m1 theta + m2) - m3).

    Deng et al. 2019, arXiv:1801.07698, equation 4. Beyond m1 theta + m2 = pi the curve
    goes on as a falling line.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        m1: factor of the angle, >= 1.
        m2: added to the angle, in radians, >= 0.
        m3: taken from the cosine, >= 0.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        m1: float = 1.0,
        m2: float = 0.3,
        m3: float = 0.2,
        **others: Any,
    ) -> None:
        super().__init__(dim, classes, **others)
        self.margins = (m1, m2, m3)

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply the margin, as far as it has grown."""
        m1, m2, m3 = self.margins
        grown = self.grown
        return margin_cosine(own, 1 + (m1 - 1) * grown, m2 * grown, m3 * grown)
