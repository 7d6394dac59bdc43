"""Embedders with a body of torchvision, whose published weights load into it.

Every body is torchvision's classifier without its last layer, with the same names of
weights. All take crops of any side from 32 pixels on.
"""

from __future__ import annotations

import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

from icf.models.networks.body_embedder import DIM, SIDE, BodyEmbedder, pooled_head

#: Channels to one hidden number in squeeze-and-excitation (Hu et al. 2018,
#: arXiv:1709.01507, section 6.1).
REDUCTION = 16


def densenet169(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make DenseNet-169 (Huang et al. 2017, arXiv:1608.06993), as in iCartoonFace.

    Args:
        dim: numbers in an embedding.
        side: of a crop; any, since the features are pooled. The paper has 256.
    """
    body = torchvision.models.densenet169(weights=None)
    return _embedder(body, "classifier", 1664, dim)


def resnet18(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make ResNet-18 (He et al. 2016, arXiv:1512.03385); see `densenet169`."""
    return _embedder(torchvision.models.resnet18(weights=None), "fc", 512, dim)


def resnet50(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make ResNet-50 (He et al. 2016, arXiv:1512.03385); see `densenet169`."""
    return _embedder(torchvision.models.resnet50(weights=None), "fc", 2048, dim)


def se_resnet50(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make SE-ResNet-50 (Hu et al. 2018, arXiv:1709.01507); see `densenet169`.

    ResNet-50's weights load into it; what squeezes and excites then starts untrained.
    """
    return _embedder(ResNet(_ExcitedBottleneck, [3, 4, 6, 3]), "fc", 2048, dim)


def mobilenetv2(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381); see `densenet169`."""
    body = torchvision.models.mobilenet_v2(weights=None)
    return _embedder(body, "classifier", 1280, dim)


def mobilenetv3_large(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244).

    See `densenet169` for the arguments.
    """
    body = torchvision.models.mobilenet_v3_large(weights=None)
    return _embedder(body, "classifier", 960, dim)


def _embedder(body: nn.Module, classifier: str, width: int, dim: int) -> BodyEmbedder:
    setattr(body, classifier, nn.Identity())
    return BodyEmbedder(body, pooled_head(width, dim), dim)


class _ExcitedBottleneck(Bottleneck):  # type: ignore[misc]  # torchvision has no types
    """A bottleneck whose channels are weighted before they are added."""

    def __init__(self, inplanes: int, planes: int, *others: object, **named: object):
        super().__init__(inplanes, planes, *others, **named)
        width = planes * self.expansion
        self.excite = torchvision.ops.SqueezeExcitation(width, width // REDUCTION)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps with four times ``planes`` channels."""
        found = self.relu(self.bn1(self.conv1(maps)))
        found = self.relu(self.bn2(self.conv2(found)))
        found = self.excite(self.bn3(self.conv3(found)))
        skipped = maps if self.downsample is None else self.downsample(maps)
        added: Tensor = self.relu(found + skipped)
        return added
