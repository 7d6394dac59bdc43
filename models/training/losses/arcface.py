"""ArcFace: a margin added to the angle."""

from __future__ import annotations

from typing import Any

from icf.models.training.losses.combined import Combined


class ArcFace(Combined):
    """z_y = s cos(theta + m); Deng et al. 2019, arXiv:1801.07698, equation 3.

    With ``focal`` it is F-ArcFace, the best single loss of iCartoonFace's table 3.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m in radians.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    def __init__(
        self, dim: int, classes: int, margin: float = 0.5, **others: Any
    ) -> None:
        super().__init__(dim, classes, 1.0, margin, 0.0, **others)
