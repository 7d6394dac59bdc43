"""The network that classifies pictures as photograph or drawing."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn

from icf.models.networks.mobilenet import MobileNetV2, load_mobilenet

#: Features are taken after these blocks of MobileNetV2: early ones show how a picture
#: was made, late ones its content. The last blocks have two thirds of the weights and
#: helped little, so they are left out; docs/training/ablation.md has what was tried.
FEATURE_BLOCKS = (7, 11, 14, 17)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Normalised features are clipped to this, so that no outlier dominates.
_FAR = 6.0


class PhotoNet(nn.Module):
    """Features of ImageNet's MobileNetV2, pooled, under a logistic model.

    Takes n x v x 3 x h x w, RGB, 0 to 255, the whole picture first; gives n
    probabilities. There are at least two views.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        whole = MobileNetV2().features
        ends = (0, *FEATURE_BLOCKS)
        self.stages = nn.ModuleList(whole[a:b] for a, b in itertools.pairwise(ends))
        number = self.features(torch.zeros(1, 2, 3, 32, 32)).shape[1]
        self.register_buffer("centre", torch.zeros(number))
        self.register_buffer("scale", torch.ones(number))
        self.head = nn.Linear(number, 1)

    @classmethod
    def from_imagenet(cls, weights: Path) -> PhotoNet:
        """Start from torchvision's weights, with an untrained head."""
        net = cls()
        stages = [stage for stage in net.stages if isinstance(stage, nn.Sequential)]
        load_mobilenet(weights, *stages)
        return net.eval()

    def features(self, views: Tensor) -> Tensor:
        """Input of the head: mean, standard deviation and maximum of each channel.

        Those of the first view come first, then the mean of those of the others, and
        their standard deviation: parts of a photograph differ in focus and light.

        Args:
            views: n x v x 3 x h x w, RGB, 0 to 255.

        Returns:
            n x d.
        """
        number, each = views.shape[:2]
        mean, deviation = (
            torch.tensor(values, device=views.device).view(3, 1, 1)
            for values in (_MEAN, _DEVIATION)
        )
        maps = (views.flatten(0, 1) / 255 - mean) / deviation
        pooled = []
        for stage in self.stages:
            maps = stage(maps)
            pooled.append(_pooled(maps))
        return joined(torch.cat(pooled, 1).reshape(number, each, -1))

    def forward(self, views: Tensor) -> Tensor:
        """Classify pictures."""
        near = normalised(self.features(views), self.centre, self.scale)
        return torch.sigmoid(self.head(near))[:, 0]

    def set_head(
        self, centre: Tensor, scale: Tensor, slope: Tensor, intercept: Tensor
    ) -> None:
        """Set a fitted head; all but ``intercept`` have one number per feature."""
        with torch.no_grad():
            self.centre.copy_(centre)
            self.scale.copy_(scale)
            self.head.weight.copy_(slope[None])
            self.head.bias.copy_(intercept)


def joined(views: Tensor) -> Tensor:
    """Join the features of a picture's views, n x v x d, the whole picture first.

    Returns:
        n x 3d: of the whole, the mean of the parts, and their standard deviation.
    """
    parts = views[:, 1:]
    mean = parts.mean(1)
    deviation = (parts - mean[:, None]).square().mean(1).sqrt()
    return torch.cat([views[:, 0], mean, deviation], 1)


def normalised(features: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
    """Standardise features, n x d, and clip them."""
    return ((features - centre) / scale).clamp(-_FAR, _FAR)


def _pooled(maps: Tensor) -> Tensor:
    mean = maps.mean((2, 3))
    deviation = (maps - mean[:, :, None, None]).square().mean((2, 3)).sqrt()
    return torch.cat([mean, deviation, maps.amax((2, 3))], 1)
