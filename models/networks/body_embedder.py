"""An embedder out of any body: normalised pixels, the body's features, a head.

The head is what embedders of faces are trained with: batch norm, a projection without
bias, batch norm (option E of Deng et al. 2019, arXiv:1801.07698, section 3.2.1).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

#: Numbers in an embedding, if not said otherwise.
DIM = 512
#: Side of a crop in pixels, if not said otherwise.
SIDE = 112
#: ImageNet's mean and standard deviation in 0..255, with which torchvision's published
#: weights were trained.
IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class BodyEmbedder(nn.Module):
    """The network.

    Input: n x 3 x S x S, RGB in 0..255, of any type. Output: n x dim, of any length.

    Args:
        body: from normalised pictures to n x width, or to maps n x channels x h x w
            where the head takes maps.
        head: from what the body gives to n x dim.
        dim: numbers in an embedding.
        mean: of red, green and blue, in 0..255.
        std: likewise.

    Attributes:
        body: what published weights are loaded into (`load_backbone`), and what is
            trained at a lower rate when it starts from them.
        head: starts untrained.
        dim: numbers in an embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        dim: int,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.body, self.head, self.dim = body, head, dim
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch."""
        found: Tensor = self.head(self.body((pictures - self.mean) / self.std))
        return found


def pooled_head(width: int, dim: int) -> nn.Sequential:
    """Return a head for pooled features, n x width."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm1d(width),
            project=nn.Linear(width, dim, bias=False),
            centre=nn.BatchNorm1d(dim),
        )
    )
