"""SphereFace: A-Softmax as published."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.margins import staircase_cosine

#: The annealing of the authors' published training, with i the step:
#: lambda = max(5, 1000 / (1 + 0.12 i)).
_LAMBDA, _FALL, _LEAST = 1000.0, 0.12, 5.0


class SphereFace(MarginSoftmax):
    """z_y = |x| psi(theta), z_j = |x| cos(theta_j); Liu et al. 2017, arXiv:1704.08063.

    psi(theta) = (-1)^k cos(m theta) - 2k for theta in [k pi/m, (k+1) pi/m] (equation
    7). Class centres have unit length, embeddings keep theirs. With annealing the
    target is (lambda cos(theta) + psi(theta)) / (1 + lambda), lambda falling with the
    steps of the training (section 3.4 and the authors' published settings).

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m, >= 1.
        annealing: as above. Without it the loss is hard to start from scratch.
        scale: s in place of the embedding's length; None: the length, as published.
        others: as in `MarginSoftmax`.

    Attributes:
        steps: that were trained; a buffer, so that a resumed run goes on.

    Shapes: embeddings (n, dim); labels (n,); loss ().
    """

    steps: Tensor

    def __init__(
        self,
        dim: int,
        classes: int,
        margin: float = 4.0,
        annealing: bool = True,
        scale: float | None = None,
        **others: Any,
    ) -> None:
        super().__init__(dim, classes, scale or 1.0, **others)
        self.own_length = scale is None
        self.margin, self.annealing = margin, annealing
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def scales(self, lengths: Tensor) -> Tensor:
        """Return the embeddings' lengths, or the scale."""
        return lengths if self.own_length else super().scales(lengths)

    @torch.no_grad()
    def observe(self, own: Tensor, lengths: Tensor, known: Tensor) -> None:
        """Count the step."""
        self.steps += 1

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply psi, or its mixture with the cosine."""
        psi = staircase_cosine(own, 1 + (self.margin - 1) * self.grown)
        if not self.annealing:
            return psi
        easy = (_LAMBDA / (1 + _FALL * self.steps.to(own))).clamp(min=_LEAST)
        return (easy * own + psi) / (1 + easy)
