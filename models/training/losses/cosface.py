"""CosFace: a margin taken from the cosine."""

from __future__ import annotations

from typing import Any

from icf.models.training.losses.combined import Combined


class CosFace(Combined):
    """z_y = s (cos(theta) - m); Wang et al. 2018, arXiv:1801.09414, equation 4.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    def __init__(
        self, dim: int, classes: int, margin: float = 0.35, **others: Any
    ) -> None:
        super().__init__(dim, classes, 1.0, 0.0, margin, **others)
