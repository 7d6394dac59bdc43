"""CurricularFace: hard negatives count more as the training goes on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.margins import margin_cosine


class CurricularFace(MarginSoftmax):
    """z_y = s cos(theta + m), z_j = s cos_j (t + cos_j) for hard negatives j.

    Huang et al. 2020, arXiv:2004.00288, equations 5 to 8. A negative is hard where
    cos_j > cos(theta + m); t is a running mean of cos(theta), so that hard negatives
    count little at first and more later.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m in radians.
        momentum: share of each new batch in t.
        others: as in `MarginSoftmax`; the scale is 64.

    Attributes:
        t: a buffer.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    t: Tensor

    def __init__(
        self,
        dim: int,
        classes: int,
        margin: float = 0.5,
        momentum: float = 0.01,
        **others: Any,
    ) -> None:
        super().__init__(dim, classes, **others)
        self.margin, self.momentum = margin, momentum
        self.register_buffer("t", torch.zeros(()))

    @torch.no_grad()
    def observe(self, own: Tensor, lengths: Tensor, known: Tensor) -> None:
        """Take the cosines of the true classes into t."""
        count = known.sum()
        mean = torch.where(known, own, 0.0).sum() / count.clamp(min=1)
        share = self.momentum * (count > 0)
        self.t += share * (mean.to(self.t) - self.t)

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply the margin, as far as it has grown."""
        return margin_cosine(own, m2=self.margin * self.grown)

    def others(self, similarity: Tensor, target: Tensor) -> Tensor:
        """Weight the hard negatives."""
        hard = similarity.detach() > target[:, None]
        return torch.where(
            hard, similarity * (self.t.to(target) + similarity), similarity
        )
