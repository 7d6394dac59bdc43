"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), as torchvision publishes it.

Its weights have torchvision's names, and begin from a seed as torchvision's do.
Importing torchvision would add a second or two to each program that trains or compares:
it imports PyTorch's compiler too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from icf.errors import BadModel

#: Groups of blocks: expansion, channels, number of blocks, stride of the first of them.
_GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
#: Channels of the convolutions before and after these blocks, and classes of ImageNet.
_FIRST, _LAST, _CLASSES = 32, 1280, 1000


def inverted_residuals() -> Iterator[tuple[int, int, int, int]]:
    """Yield of each of the 17 blocks: channels in and out, stride, expansion.

    As in table 2 of the paper.
    """
    width = _FIRST
    for expansion, channels, number, stride in _GROUPS:
        for index in range(number):
            yield width, channels, 1 if index else stride, expansion
            width = channels


class MobileNetV2(nn.Module):
    """The classifier of ImageNet's 1000 classes.

    Input: n x 3 x h x w, normalised. Output: n x 1000 logits.

    Attributes:
        features: 19 blocks; the last but one has 320 channels, at a stride of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        width = _GROUPS[-1][1]
        self.features = nn.Sequential(
            _convolution(3, _FIRST, 3, 2),
            *(_Block(*shape) for shape in inverted_residuals()),
            _convolution(width, _LAST, 1),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(_LAST, _CLASSES))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, 0.01)
                nn.init.zeros_(layer.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """Classify a batch."""
        out: Tensor = self.classifier(self.features(pictures).mean((2, 3)))
        return out


class _Block(nn.Module):
    """An inverted residual: expanded, filtered channel by channel, projected."""

    def __init__(self, width: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        expanded = [_convolution(width, inner, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expanded,
            _convolution(inner, inner, 3, stride, groups=inner),
            nn.Conv2d(inner, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self._adds = stride == 1 and width == channels

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.conv(maps)
        return maps + out if self._adds else out


def _convolution(
    width: int, channels: int, size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, channels, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(inplace=True),
    )


def load_mobilenet(weights: Path, *parts: nn.Sequential) -> None:
    """Load consecutive blocks of MobileNetV2 from a file, beginning with the first."""
    load_blocks(torch.load(weights, map_location="cpu", weights_only=True), *parts)


def load_blocks(state: Mapping[str, Tensor], *parts: nn.Sequential) -> None:
    """Load consecutive blocks of MobileNetV2, beginning with the first.

    Raises:
        BadModel: the weights are of another network.
    """
    whole = MobileNetV2()
    try:
        whole.load_state_dict(dict(state))
    except RuntimeError as error:
        raise BadModel(f"these are not torchvision's MobileNetV2: {error}") from error
    first = 0
    for part in parts:
        part.load_state_dict(whole.features[first : first + len(part)].state_dict())
        first += len(part)
