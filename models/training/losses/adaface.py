"""AdaFace: the margin follows the quality that the embedding's length shows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.margins import angle

#: The authors' start of the running mean and deviation of the lengths.
_MEAN, _DEVIATION = 20.0, 100.0
#: Lengths are clipped to these, and angles kept this far from 0 and pi.
_SHORTEST, _LONGEST, _EDGE = 0.001, 100.0, 1e-3


class AdaFace(MarginSoftmax):
    """z_y = s (cos(theta + g_angle) - g_add); Kim et al. 2022, arXiv:2204.00964.

    With q the length of the embedding, standardised by its running mean and deviation,
    times h, clipped to [-1, 1] and without a gradient: g_angle = -m q, g_add = m q + m
    (equations 12 to 14). Hard faces count where the picture is good, easy ones where it
    is bad: for sets with many small or blurred faces.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m.
        concentration: h.
        momentum: share of each new batch in the running mean and deviation.
        others: as in `MarginSoftmax`; the scale is 64.

    Attributes:
        mean: running mean of the lengths; a buffer.
        deviation: their running standard deviation; a buffer.

    Shapes: embeddings (n, dim), whose length counts; labels (n,); loss ().
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        dim: int,
        classes: int,
        margin: float = 0.4,
        concentration: float = 0.333,
        momentum: float = 0.01,
        **others: Any,
    ) -> None:
        super().__init__(dim, classes, **others)
        self.margin, self.concentration = margin, concentration
        self.momentum = momentum
        self.register_buffer("mean", torch.tensor(_MEAN))
        self.register_buffer("deviation", torch.tensor(_DEVIATION))

    @torch.no_grad()
    def observe(self, own: Tensor, lengths: Tensor, known: Tensor) -> None:
        """Take the lengths into the running mean and deviation."""
        if len(lengths) < 2:
            return  # one length has no deviation
        lengths = lengths.clamp(_SHORTEST, _LONGEST).to(self.mean)
        self.mean.lerp_(lengths.mean(), self.momentum)
        self.deviation.lerp_(lengths.std(), self.momentum)

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply the margin of each face's quality."""
        margin = self.margin * self.grown
        clipped = lengths.detach().clamp(_SHORTEST, _LONGEST)
        standard = (clipped - self.mean.to(own)) / (self.deviation.to(own) + _EDGE)
        quality = (self.concentration * standard).clamp(-1, 1)
        theta = (angle(own) - margin * quality).clamp(_EDGE, torch.pi - _EDGE)
        return torch.cos(theta) - margin * (quality + 1)
