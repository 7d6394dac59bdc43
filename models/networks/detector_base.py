"""What the trainer and the export need to know of a detector's network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from icf.models.anchors import Geometry

KINDS = ("cartoon", "human")
#: ImageNet's mean and standard deviation, in 0..255.
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
#: What cards say of the input of these networks.
INPUT = "n x 3 x h x w, RGB, 0 to 255, h and w multiples of 64"


class DetectorNetwork(nn.Module, ABC):
    """A network that finds faces.

    Input: n x 3 x H x W, RGB in 0..255, H and W multiples of 64.
    Output: class logits n x anchors x 2 (see `KINDS`), box offsets n x anchors x 4.

    Attributes:
        geometry: of its anchors and offsets.
        format: the name of `icf.models.formats.base.FORMATS` that reads its outputs.
        architecture: a description, for the card.
        box_loss: of its recipe; see `icf.models.training.detector.losses`.
        frozen: stages of the backbone that training leaves as they are, by default.
    """

    geometry: ClassVar[Geometry]
    format: ClassVar[str]
    architecture: str
    box_loss: str
    frozen: int

    @abstractmethod
    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor."""

    @abstractmethod
    def stages(self) -> list[list[nn.Module]]:
        """Return the parts of the backbone, from the picture upwards."""

    @abstractmethod
    def load_published(self, state: Mapping[str, Tensor]) -> str:
        """Load weights as torchvision publishes them.

        Args:
            state: of a backbone for ImageNet, or of a whole detector.

        Returns:
            What is not from these weights and starts untrained: a sentence.

        Raises:
            BadModel: they belong to another network.
        """
