"""A face embedder of all of MobileNetV2, which looks at a crop and at its mirror image.

Its last layer, which `icf.models.networks.embedder` leaves out, describes what
ImageNet's classes look like, and that tells drawn characters apart in styles that no
training saw. A crop and its mirror image show the same character, so the embedding is
the mean of both; the flip is a part of the network, and of the exported file.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from icf.errors import WrongUse

DIM, SIDE = 256, 128
_MIDDLE, _LAST = 96, 1280
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)


class MirroredEmbedder(nn.Module):
    """The network.

    Input: n x 3 x side x side, RGB in 0..255. Output: n x dim, of any length.

    Args:
        dim: numbers in an embedding.
        side: of a crop, in pixels.

    Raises:
        WrongUse: the side is less than 64 pixels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int = DIM, side: int = SIDE) -> None:
        super().__init__()
        if side < 64:
            raise WrongUse(f"network.side = {side}: this network needs 64 or more")
        features = torchvision.models.mobilenet_v2(weights=None).features
        self.early = features[:14]
        self.late = features[14:]
        width = _LAST + 4 * _MIDDLE
        self.norm = nn.BatchNorm1d(width)
        self.project = nn.Linear(width, dim, bias=False)
        self.centre = nn.BatchNorm1d(dim)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch: in evaluation with mirror images, in training without."""
        if self.training:
            return self.head(self.pooled(pictures))
        return self._embedded(pictures) + self._embedded(pictures.flip(3))

    def pooled(self, pictures: Tensor) -> Tensor:
        """Return the pooled features before the projection, n x 1664."""
        middle = self.early((pictures - self.mean) / self.std)
        # Overlapping halves where the maps have an odd side.
        stride = middle.shape[3] // 2
        size = middle.shape[3] - stride
        quarters = functional.avg_pool2d(middle, size, stride).flatten(1)
        return torch.cat([self.late(middle).mean((2, 3)), quarters], 1)

    def head(self, pooled: Tensor) -> Tensor:
        """Project pooled features, n x 1664, to embeddings, n x dim."""
        out: Tensor = self.centre(self.project(self.norm(pooled)))
        return out

    def _embedded(self, pictures: Tensor) -> Tensor:
        return functional.normalize(self.head(self.pooled(pictures)))
