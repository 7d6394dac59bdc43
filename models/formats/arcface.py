"""The format of insightface's recognition models: ArcFace and its kin.

Input: n x 3 x 112 x 112, RGB, (x - 127.5) / 127.5. Files that were converted from MXNet
subtract and divide themselves: among their first nodes are a ``Sub`` and a ``Mul``.

insightface turns each face so that its eyes, nose and mouth stand at five fixed points
of the crop (Deng et al. 2019, arXiv:1801.07698, section 3.1). Here faces have boxes and
no points, so the crop is the box enlarged by ``crop_rate``, upright or not: expect less
than what is published, above all for tilted heads. In the aligned crop, the face from
brow to chin fills the height, hence a rate of 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from icf.models.cards import ModelCard
from icf.models.formats import outside
from icf.models.formats.base import EmbedderFormat, Numbers, Opening, Pixels, resized
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader

_SIDE, _MIDDLE = 112, 127.5
#: How insightface knows a file that prepares pictures itself: by names of first nodes.
_SUBTRACTS, _MULTIPLIES = ("Sub", "_minus"), ("Mul", "_mul")


class ArcFace(EmbedderFormat, OutsideFormat):
    """An opened embedder of this format.

    Args:
        network: the opened network.
        card: ``mean``, ``std`` and ``bgr`` describe the input.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"mean", "std", "bgr"})

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self._numbers = card.parameters
        self.dim = outside.dimensions(network, _SIDE)
        self.batch_size = network.batch_size

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        outside.check_embedder(network, _SIDE, "the file")
        prepares = all(
            any(name.startswith(words) for name, _ in header.first_nodes)
            for words in (_SUBTRACTS, _MULTIPLIES)
        )
        return Published(
            "embed",
            {
                "crop_rate": 0.0,
                **outside.UNCALIBRATED,
                "mean": 0.0 if prepares else _MIDDLE,
                "std": 1.0 if prepares else _MIDDLE,
                "bgr": 0.0,
            },
            f"n x 3 x {_SIDE} x {_SIDE}, RGB, the box of the face, not aligned",
            (
                "It was published for faces aligned by five points; here it gets the "
                "face's box as it is.",
                "It was published for photographed faces.",
            ),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> ArcFace:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        outside.check_embedder(network, _SIDE, str(path))
        return cls(network, card)

    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops."""
        numbers = self._numbers
        pictures = np.stack([resized(crop, _SIDE) for crop in crops])
        batch = outside.prepared(
            pictures, numbers["mean"], numbers["std"], bool(numbers["bgr"])
        )
        [vectors] = outside.run(self._network, batch)
        return vectors
