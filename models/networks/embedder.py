"""Small face embedders: MobileNetV2, its middle features concatenated with the last.

The last maps describe the kind of face. The middle ones, pooled over the four quarters
of the crop, keep colours and lines of hair, eyes and clothes, which distinguish drawn
characters in styles that the network was not trained on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.networks.mobilenet import MobileNetV2

DIM = 192
_MIDDLE, _LATE = 96, 320
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)


class PooledEmbedder(nn.Module):
    """What the embedders of MobileNetV2 have in common.

    Args:
        blocks: of MobileNetV2, counted from the first.
        width: channels of the last of these.
        dim: numbers in an embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: int, width: int, dim: int) -> None:
        super().__init__()
        features = MobileNetV2().features
        self.early = features[:14]
        self.late = features[14:blocks]
        pooled = width + 4 * _MIDDLE
        self.norm = nn.BatchNorm1d(pooled)
        self.project = nn.Linear(pooled, dim, bias=False)
        self.centre = nn.BatchNorm1d(dim)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])

    @property
    def frozen_blocks(self) -> int:
        """How many of the first blocks no training changes, weights and norms."""
        for number, block in enumerate(self.early):
            layers = (each for each in block.modules() if each._parameters)
            if any(p.requires_grad for p in block.parameters()) or any(
                layer.training for layer in layers
            ):
                return number
        return len(self.early)

    def begun(self, pictures: Tensor, blocks: int) -> Tensor:
        """Return the maps after some of the first blocks, at most 14."""
        maps: Tensor = self.early[:blocks]((pictures - self.mean) / self.std)
        return maps

    def pooled(self, pictures: Tensor) -> Tensor:
        """Return the pooled features before the projection, n x (width + 384)."""
        return self.pooled_after(self.begun(pictures, 0), 0)

    def pooled_after(self, maps: Tensor, blocks: int) -> Tensor:
        """Return the pooled features, from the maps after some of the first blocks."""
        middle = self.early[blocks:](maps)
        # Overlapping halves where the maps have an odd side.
        stride = middle.shape[3] // 2
        size = middle.shape[3] - stride
        quarters = functional.avg_pool2d(middle, size, stride).flatten(1)
        return torch.cat([self.late(middle).mean((2, 3)), quarters], 1)

    def head(self, pooled: Tensor) -> Tensor:
        """Project pooled features, n x (width + 384), to embeddings, n x dim."""
        out: Tensor = self.centre(self.project(self.norm(pooled)))
        return out

    def of_both(self, pictures: Tensor) -> Tensor:
        """Embed crops and their mirror images, and return the means."""
        both = torch.cat([pictures, pictures.flip(3)])
        found = functional.normalize(self.head(self.pooled(both)))
        number = pictures.shape[0]
        return found[:number] + found[number:]


class EmbedderNet(PooledEmbedder):
    """The network.

    Input: n x 3 x 112 x 112, RGB in 0..255. Output: n x 192, of any length.
    """

    def __init__(self) -> None:
        super().__init__(18, _LATE, DIM)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch."""
        return self.head(self.pooled(pictures))


class FlippedEmbedder(EmbedderNet):
    """The same network, which looks at a crop and at its mirror image.

    Both show the same character, so the embedding is the mean of both. The flip is a
    part of the network, and of the exported file.
    """

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch: in evaluation with mirror images, in training without."""
        return super().forward(pictures) if self.training else self.of_both(pictures)
