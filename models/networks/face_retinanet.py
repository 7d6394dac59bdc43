"""A small RetinaNet for faces that grows out of CenterFace.

It has the pyramid of the first generation over CenterFace's body. What that one's neck
says at each stride joins the lateral connections, and the strongest of its last
features in a cell's area, of which its own scores are made, are added to every level.
So what it knows of faces is at hand from the first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.errors import BadModel
from icf.models.networks.centerface import NECK, STRIDE, CenterFaceBody
from icf.models.networks.small_retinanet import WIDTH, SmallRetinaNet


class Seen(NamedTuple):
    """What one run of the network gives.

    Attributes:
        logits: of the classes, n x anchors x 2.
        offsets: of the boxes, n x anchors x 4.
        fine: the features of which CenterFace makes its scores, n x 24 x h/4 x w/4.
    """

    logits: Tensor
    offsets: Tensor
    fine: Tensor


class FaceRetinaNet(SmallRetinaNet):
    """The network ``retinanet-centerface``."""

    architecture = (
        "RetinaNet: CenterFace's MobileNetV2 and neck, a pyramid of 64 channels at "
        "strides 8 to 64, one tower of two convolutions; cartoon and human faces"
    )
    frozen = 1

    def __init__(self) -> None:
        super().__init__()
        self.body = CenterFaceBody()
        self.make_pyramid([channels + NECK for channels in (32, 96, 320)])
        self.peaks = nn.ModuleList(
            nn.Conv2d(NECK, WIDTH, 1, bias=False) for _ in self.geometry.strides
        )
        self.start_head()

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of each stride, finest first."""
        return self._levels(*self.body(pictures))

    def seen(self, pictures: Tensor) -> Seen:
        """Return the outputs, and of what CenterFace would make its scores."""
        features = self.body(pictures)
        return Seen(*self.head(self._levels(*features)), features.neck[0])

    def stages(self) -> list[list[nn.Module]]:
        """Return CenterFace's parts, from the picture upwards."""
        return [
            [self.body.blocks[:7]],
            [self.body.blocks[7:14]],
            [self.body.blocks[14:]],
            [self.body.lateral, self.body.up, self.body.last],
        ]

    def load_published(self, state: Mapping[str, Tensor]) -> str:
        """Load CenterFace's body and neck; the rest starts untrained.

        Raises:
            BadModel: the weights are of another network.
        """
        try:
            self.body.load_state_dict(dict(state))
        except RuntimeError as error:
            raise BadModel(f"these are not CenterFace's weights: {error}") from error
        return "only CenterFace is from these weights; pyramid and head start anew"

    def _levels(self, body: list[Tensor], neck: list[Tensor]) -> list[Tensor]:
        fine, *others = neck
        joined = [torch.cat(pair, 1) for pair in zip(body, others, strict=True)]
        levels = self.merged(*joined)
        return [
            level + peak(functional.max_pool2d(fine, stride // STRIDE))
            for level, peak, stride in zip(
                levels, self.peaks, self.geometry.strides, strict=True
            )
        ]
