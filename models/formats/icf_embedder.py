"""The format of embedders that `icf-train` makes: square crops, RGB in 0..255.

The file states the side of its crops; that of the bundled one is 112 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats.base import EmbedderFormat, Numbers, Opening, Pixels, resized
from icf.models.runtime.network import Network, open_network

#: Side of the bundled network's input, in pixels.
SIDE = 112


class IcfEmbedder(EmbedderFormat):
    """An opened embedder of this format.

    Args:
        network: the opened network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._side = int(network.input[2] or 0)
        self.dim = int(network.outputs[0][1] or 0)
        self.batch_size = network.batch_size

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> IcfEmbedder:
        """Open an ONNX file."""
        given = {key: card.parameters.get(key) for key in ("dim", "side")}
        network = open_network(
            path,
            opening.threads,
            opening.runtime,
            opening.device,
            card.network,
            {key: int(value) for key, value in given.items() if value is not None},
        )
        shape = list(network.input)
        square = len(shape) == 4 and isinstance(shape[2], int) and shape[2] == shape[3]
        if not square or shape[1] != 3 or len(network.outputs) != 1:
            raise BadModel(
                f"{path} takes {shape} and gives {len(network.outputs)} outputs; "
                "expected [n, 3, side, side] and one"
            )
        return cls(network)

    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops."""
        pictures = np.stack([resized(crop, self._side) for crop in crops])
        [vectors] = self._network.predict(pictures)
        return vectors
