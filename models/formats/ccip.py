"""The format of the feature networks of deepghs' CCIP, ``model_feat.onnx``.

Input: n x 3 x 384 x 384, RGB in 0..1, less CLIP's mean and divided by its deviation;
the crop resized to the square. Output: n x dimensions.

What is published with them compares two features by a second network
(``model_metrics.onnx``), whose difference has a published threshold. Here features are
compared by their cosine, as those of every embedder, and answers teach what a cosine
means; that threshold means nothing here.
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

_SIDE = 384
#: CLIP's mean and deviation of red, green and blue (Radford et al. 2021,
#: arXiv:2103.00020), here in 0..255.
_MEAN = 255 * np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_STD = 255 * np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


class Ccip(EmbedderFormat, OutsideFormat):
    """An opened embedder of this format.

    Args:
        network: the opened network.
        card: with the ``side`` of the input.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"side"})

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self._side = int(card.parameters["side"])
        self.dim = outside.dimensions(network, self._side)
        self.batch_size = network.batch_size

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        outside.check_embedder(network, _SIDE, "the file")
        return Published(
            "embed",
            {
                # It was trained on characters, not on faces alone.
                "crop_rate": 1.0,
                **outside.UNCALIBRATED,
                "side": float(_SIDE),
            },
            f"n x 3 x {_SIDE} x {_SIDE}, RGB, 0 to 1, CLIP's mean and deviation",
            (
                "Its publisher compares features by a network of its own; here they "
                "are compared by their cosine.",
            ),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> Ccip:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        outside.check_embedder(network, _SIDE, str(path))
        outside.check_side(network, path, card)
        return cls(network, card)

    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops."""
        pictures = np.stack([resized(crop, self._side) for crop in crops])
        [vectors] = outside.run(self._network, outside.prepared(pictures, _MEAN, _STD))
        return vectors
