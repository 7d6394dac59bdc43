"""The format of the bundled embedder: crops of 112 x 112 pixels, RGB in 0..255."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats.base import EmbedderFormat, Numbers, Opening, Pixels, resized
from icf.models.runtime.network import Network, open_network

#: Side of the network's input, in pixels.
SIDE = 112


class IcfEmbedder(EmbedderFormat):
    """An opened embedder of this format.

    Args:
        network: the opened network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.dim = int(network.outputs[0][1] or 0)
        self.batch_size = network.batch_size

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> IcfEmbedder:
        """Open an ONNX file."""
        network = open_network(
            path, opening.threads, opening.runtime, opening.device, card.network
        )
        shape = list(network.input)
        if shape[1:] != [3, SIDE, SIDE] or len(network.outputs) != 1:
            raise BadModel(
                f"{path} takes {shape} and gives {len(network.outputs)} outputs; "
                f"expected [n, 3, {SIDE}, {SIDE}] and one"
            )
        return cls(network)

    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops."""
        [vectors] = self._network.predict(np.stack([resized(c, SIDE) for c in crops]))
        return vectors
