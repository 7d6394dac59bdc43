"""MagFace: the embedding's length learns to be the picture's quality."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.margins import margin_cosine


class MagFace(MarginSoftmax):
    """z_y = s cos(theta + m(a)), plus a penalty on a = |x|; Meng et al. 2021.

    arXiv:2103.06627, equations 3 to 5: m(a) rises linearly from ``margins[0]`` at
    ``lengths[0]`` to ``margins[1]`` at ``lengths[1]``, and to the loss is added
    ``penalty_weight`` times the mean of a / u^2 + 1 / a, u being ``lengths[1]``. After
    the training a long embedding means a good picture.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margins: the least and the largest m, in radians.
        lengths: the least and the largest a; lengths are clipped to these.
        penalty_weight: lambda_g.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), whose length counts; labels (n,); loss ().
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        margins: tuple[float, float] = (0.45, 0.8),
        lengths: tuple[float, float] = (10.0, 110.0),
        penalty_weight: float = 35.0,
        **others: Any,
    ) -> None:
        super().__init__(dim, classes, **others)
        self.margins, self.lengths = margins, lengths
        self.penalty_weight = penalty_weight

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply the margin of each face's length."""
        (least, most), (short, long) = self.margins, self.lengths
        share = (lengths.clamp(short, long) - short) / (long - short)
        return margin_cosine(own, m2=self.grown * (least + share * (most - least)))

    def penalty(self, lengths: Tensor) -> Tensor:
        """Return what makes short embeddings longer."""
        short, long = self.lengths
        length = lengths.clamp(short, long)
        return self.penalty_weight * (length / long**2 + 1 / length).mean()
