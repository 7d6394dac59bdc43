"""A small face embedder: MobileNetV2, its middle features concatenated with the last.

The last maps describe the kind of face. The middle ones, pooled over the four quarters
of the crop, keep colours and lines of hair, eyes and clothes, which distinguish drawn
characters in styles that the network was not trained on.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

DIM = 192
_MIDDLE, _LATE = 96, 320
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)


class EmbedderNet(nn.Module):
    """The network.

    Input: n x 3 x 112 x 112, RGB in 0..255. Output: n x 192, of any length.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        features = torchvision.models.mobilenet_v2(weights=None).features
        self.early = features[:14]
        self.late = features[14:18]
        width = _LATE + 4 * _MIDDLE
        self.norm = nn.BatchNorm1d(width)
        self.project = nn.Linear(width, DIM, bias=False)
        self.centre = nn.BatchNorm1d(DIM)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch."""
        return self.head(self.pooled(pictures))

    def pooled(self, pictures: Tensor) -> Tensor:
        """Return the pooled features before the projection, n x 704."""
        middle = self.early((pictures - self.mean) / self.std)
        late = self.late(middle)
        # 7 x 7 maps: the quarters overlap in the middle row and column.
        quarters = functional.avg_pool2d(middle, 4, 3).flatten(1)
        return torch.cat([late.mean((2, 3)), quarters], 1)

    def head(self, pooled: Tensor) -> Tensor:
        """Project pooled features, n x 704, to embeddings, n x 192."""
        out: Tensor = self.centre(self.project(self.norm(pooled)))
        return out
