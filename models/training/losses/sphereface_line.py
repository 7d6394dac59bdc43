"""SphereFace's margin as a monotonic curve on unit embeddings."""

from __future__ import annotations

from typing import Any

from icf.models.training.losses.combined import Combined


class SphereFaceLine(Combined):
    """z_y = s cos(m theta) up to m theta = pi, then a falling line.

    The multiplied angle of SphereFace (Liu et al. 2017, arXiv:1704.08063), used as in
    the combined margin of Deng et al. 2019 (arXiv:1801.07698, equation 4): embeddings
    of unit length and a fixed scale, without steps and without annealing.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m, >= 1.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    def __init__(
        self, dim: int, classes: int, margin: float = 1.35, **others: Any
    ) -> None:
        super().__init__(dim, classes, margin, 0.0, 0.0, **others)
