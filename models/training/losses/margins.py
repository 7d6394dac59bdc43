"""Margin losses: softmax on angles, with a margin for the true class.

With weights and embeddings of unit length, the logit of class j is s cos(theta_j). The
true class's logit becomes

    s (cos(m1 theta + m2) - m3)

which is SphereFace for m1 (Liu et al. 2017, arXiv:1704.08063), ArcFace for m2 (Deng et
al. 2019, arXiv:1801.07698) and CosFace for m3 (Wang et al. 2018, arXiv:1801.09414), and
all three combined where all three are given.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Gradient = Literal["exact", "straight_through"]

#: Keeps the derivative of arccos finite at cos = +-1.
_EDGE = 1e-6


def margin_cosine(
    cosine: Tensor,
    m1: float = 1.0,
    m2: float = 0.0,
    m3: float = 0.0,
    gradient: Gradient = "exact",
) -> Tensor:
    """Apply the combined margin to the cosines of the true classes.

    Beyond m1 theta + m2 = pi the cosine would rise again, so the curve continues as a
    falling line: it stays monotonic, with a finite gradient, for every angle.

    Args:
        cosine: shape (n,), in [-1, 1].
        m1: factor of the angle, >= 1.
        m2: added to the angle, in radians, >= 0.
        m3: taken from the cosine, >= 0.
        gradient: ``"exact"``, or ``"straight_through"``: the value of the margin with
            the gradient of the plain cosine, as in insightface.

    Returns:
        Shape (n,).

    >>> margin_cosine(torch.tensor([0.5]), m3=0.25)
    tensor([0.2500])
    """
    if m1 == 1.0 and m2 == 0.0:
        return cosine - m3
    theta = torch.arccos(cosine.clamp(-1 + _EDGE, 1 - _EDGE))
    angle = m1 * theta + m2
    beyond = (angle - math.pi).clamp(min=0)
    shifted = torch.cos(angle.clamp(max=math.pi)) - beyond - m3
    if gradient == "straight_through":
        return cosine + (shifted - cosine).detach()
    return shifted


class MarginLoss(nn.Module):
    """Cross-entropy on margin logits, with one weight vector per class.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        scale: s.
        m1: as in `margin_cosine`.
        m2: as in `margin_cosine`.
        m3: as in `margin_cosine`.
        focal: gamma of the focal factor (1 - p)^gamma (Lin et al. 2017), for each
            sample by its own p; 0 is plain cross-entropy.
        gradient: as in `margin_cosine`.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        scale: float = 32.0,
        m1: float = 1.0,
        m2: float = 0.5,
        m3: float = 0.0,
        focal: float = 0.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, dim))
        nn.init.normal_(self.weight, std=0.01)
        self.scale = scale
        self.margins = (m1, m2, m3)
        self.focal = focal
        self.gradient: Gradient = gradient

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss.

        Args:
            embeddings: shape (n, dim), of any length.
            labels: shape (n,), int64, in [0, classes).

        Returns:
            Shape ().
        """
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.weight).T
        rows = torch.arange(len(labels), device=labels.device)
        true = margin_cosine(cosine[rows, labels], *self.margins, self.gradient)
        logits = self.scale * cosine.index_put((rows, labels), true)
        losses = functional.cross_entropy(logits, labels, reduction="none")
        if self.focal:
            losses = (1 - torch.exp(-losses)) ** self.focal * losses
        return losses.mean()
