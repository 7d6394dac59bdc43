"""A face embedder of all of MobileNetV2, which looks at a crop and at its mirror image.

Its last layer, which `EmbedderNet` leaves out, describes what ImageNet's classes look
like, and that tells drawn characters apart in styles that no training saw. A crop and
its mirror image show the same character, so the embedding is the mean of both; the
flip is a part of the network, and of the exported file.
"""

from __future__ import annotations

from torch import Tensor

from icf.errors import WrongUse
from icf.models.networks.embedder import PooledEmbedder

DIM, SIDE = 256, 128
_LAST = 1280


class MirroredEmbedder(PooledEmbedder):
    """The network.

    Input: n x 3 x side x side, RGB in 0..255. Output: n x dim, of any length.

    Args:
        dim: numbers in an embedding.
        side: of a crop, in pixels.

    Raises:
        WrongUse: the side is less than 64 pixels.
    """

    def __init__(self, dim: int = DIM, side: int = SIDE) -> None:
        if side < 64:
            raise WrongUse(f"network.side = {side}: this network needs 64 or more")
        super().__init__(19, _LAST, dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed a batch: in evaluation with mirror images, in training without."""
        if self.training:
            return self.head(self.pooled(pictures))
        return self.of_both(pictures)
