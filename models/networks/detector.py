"""The first generation's small RetinaNet for faces: MobileNetV2 of ImageNet."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from icf.models.networks.detector_base import MEAN, STD
from icf.models.networks.mobilenet import MobileNetV2, load_blocks
from icf.models.networks.small_retinanet import SmallRetinaNet


class Detector(SmallRetinaNet):
    """The network ``retinanet-mobilenetv2``."""

    architecture = (
        "RetinaNet: MobileNetV2, a pyramid of 64 channels at strides 8 to 64, one "
        "tower of two convolutions; cartoon and human faces"
    )
    frozen = 1

    def __init__(self) -> None:
        super().__init__()
        features = MobileNetV2().features
        self.shallow = features[:7]
        self.middle = features[7:14]
        self.deep = features[14:18]
        self.make_pyramid((32, 96, 320))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])
        self.start_head()

    def stages(self) -> list[list[nn.Module]]:
        """Return the parts of MobileNetV2, from the picture upwards."""
        return [[self.shallow], [self.middle], [self.deep]]

    def load_published(self, state: Mapping[str, Tensor]) -> str:
        """Load torchvision's MobileNetV2; the rest starts untrained."""
        load_blocks(state, self.shallow, self.middle, self.deep)
        return "only MobileNetV2 is from these weights; pyramid and head start anew"

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of each stride, finest first."""
        shallow = self.shallow((pictures - self.mean) / self.std)
        middle = self.middle(shallow)
        return self.merged(shallow, middle, self.deep(middle))
