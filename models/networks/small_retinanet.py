"""What the small RetinaNets for faces share: a pyramid of 64 channels and a short head.

RetinaNet (Lin et al. 2017, arXiv:1708.02002) with square anchors, since faces are
nearly square, and one tower for classes and boxes, since a CPU has to run it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.anchors import SMALL, Geometry
from icf.models.networks.detector_base import KINDS, DetectorNetwork

WIDTH = 64
#: Squares of each cell.
_SHAPES = len(SMALL.shapes[0])


class SmallRetinaNet(DetectorNetwork):
    """A body, and over it levels at strides 8, 16, 32 and 64 with one short head."""

    geometry: ClassVar[Geometry] = SMALL
    format: ClassVar[str] = "icf-detector-onnx"
    box_loss = "smooth_l1"

    @abstractmethod
    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of each stride, finest first."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor."""
        return self.head(self.pyramid(pictures))

    def head(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor of the levels."""
        classes, boxes = [], []
        for level, features in enumerate(levels):
            norms = self.norms[2 * level : 2 * level + 2]
            for conv, norm in zip(self.tower, norms, strict=True):
                features = functional.relu(norm(conv(features)))
            classes.append(_flat(self.classes(features), len(KINDS)))
            boxes.append(_flat(self.boxes(features), 4))
        return torch.cat(classes, 1), torch.cat(boxes, 1)

    def make_pyramid(self, channels: Sequence[int]) -> None:
        """Make the layers over a body, whose features have so many channels.

        Args:
            channels: at strides 8, 16 and 32.
        """
        self.lateral = nn.ModuleList(nn.Conv2d(c, WIDTH, 1) for c in channels)
        self.smooth = nn.ModuleList(_conv(WIDTH) for _ in range(3))
        self.coarse = _conv(WIDTH, stride=2)
        self.tower = nn.ModuleList(
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2)
        )
        # The convolutions are shared between the levels, their statistics are not.
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(WIDTH) for _ in range(2 * len(SMALL.strides))
        )
        self.classes = nn.Conv2d(WIDTH, _SHAPES * len(KINDS), 3, padding=1)
        self.boxes = nn.Conv2d(WIDTH, _SHAPES * 4, 3, padding=1)

    def start_head(self) -> None:
        """Give the head its first weights: hardly any anchor is a face."""
        for conv in (self.classes, self.boxes, *self.tower):
            assert isinstance(conv, nn.Conv2d)
            assert conv.bias is not None
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)
        assert self.classes.bias is not None
        nn.init.constant_(self.classes.bias, -4.6)  # a prior of 1% (paper, section 4.1)

    def merged(self, low: Tensor, middle: Tensor, high: Tensor) -> list[Tensor]:
        """Return the levels of a body's features at strides 8, 16 and 32."""
        top = self.lateral[2](high)
        mid = self.lateral[1](middle) + _doubled(top)
        fine = self.lateral[0](low) + _doubled(mid)
        levels = [s(f) for s, f in zip(self.smooth, (fine, mid, top), strict=True)]
        return [*levels, self.coarse(levels[-1])]


def _conv(width: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _flat(output: Tensor, per_anchor: int) -> Tensor:
    n = output.shape[0]
    return output.permute(0, 2, 3, 1).reshape(n, -1, per_anchor)
