"""A small RetinaNet for faces: MobileNetV2, a pyramid of 64 channels, one short head.

RetinaNet (Lin et al. 2017, arXiv:1708.02002) with square anchors, since faces are
nearly square, and one tower for classes and boxes, since a CPU has to run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from icf.models.anchors import SMALL, Geometry
from icf.models.networks.detector_base import KINDS, MEAN, STD, DetectorNetwork
from icf.models.networks.mobilenet import load_blocks

WIDTH = 64
#: Squares of each cell.
_SHAPES = len(SMALL.shapes[0])


class Detector(DetectorNetwork):
    """The network ``retinanet-mobilenetv2``."""

    geometry: ClassVar[Geometry] = SMALL
    format: ClassVar[str] = "icf-detector-onnx"
    architecture = (
        "RetinaNet: MobileNetV2, a pyramid of 64 channels at strides 8 to 64, one "
        "tower of two convolutions; cartoon and human faces"
    )
    box_loss = "smooth_l1"
    frozen = 1

    def __init__(self) -> None:
        super().__init__()
        features = torchvision.models.mobilenet_v2(weights=None).features
        self.shallow = features[:7]
        self.middle = features[7:14]
        self.deep = features[14:18]
        self.lateral = nn.ModuleList(nn.Conv2d(c, WIDTH, 1) for c in (32, 96, 320))
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
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])
        for conv in (self.classes, self.boxes, *self.tower):
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)
        assert self.classes.bias is not None
        nn.init.constant_(self.classes.bias, -4.6)  # a prior of 1% (paper, section 4.1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor."""
        classes, boxes = [], []
        for level, features in enumerate(self.pyramid(pictures)):
            norms = self.norms[2 * level : 2 * level + 2]
            for conv, norm in zip(self.tower, norms, strict=True):
                features = functional.relu(norm(conv(features)))
            classes.append(_flat(self.classes(features), len(KINDS)))
            boxes.append(_flat(self.boxes(features), 4))
        return torch.cat(classes, 1), torch.cat(boxes, 1)

    def stages(self) -> list[list[nn.Module]]:
        """Return the parts of MobileNetV2, from the picture upwards."""
        return [[self.shallow], [self.middle], [self.deep]]

    def load_published(self, state: Mapping[str, Tensor]) -> str:
        """Load torchvision's MobileNetV2; the rest starts anew."""
        load_blocks(state, self.shallow, self.middle, self.deep)
        return "only MobileNetV2 is from these weights; pyramid and head start anew"

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of each stride, finest first."""
        shallow = self.shallow((pictures - self.mean) / self.std)
        middle = self.middle(shallow)
        deep = self.deep(middle)
        top = self.lateral[2](deep)
        mid = self.lateral[1](middle) + _doubled(top)
        low = self.lateral[0](shallow) + _doubled(mid)
        levels = [s(f) for s, f in zip(self.smooth, (low, mid, top), strict=True)]
        return [*levels, self.coarse(levels[-1])]


def _conv(width: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _flat(output: Tensor, per_anchor: int) -> Tensor:
    n = output.shape[0]
    return output.permute(0, 2, 3, 1).reshape(n, -1, per_anchor)
