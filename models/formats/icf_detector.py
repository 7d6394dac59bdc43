"""The format of the bundled detector: anchors, class logits and box offsets.

The network takes n x 3 x h x w, RGB in 0..255, h and w multiples of 64. It gives class
logits n x anchors x 2 and box offsets n x anchors x 4; see `icf.models.anchors`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from icf.errors import BadModel
from icf.models.anchors import SMALL, Geometry
from icf.models.cards import ModelCard
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.runtime.network import Network, open_network

#: Most boxes of one picture that are read, best first.
_MAX_BOXES = 1000
_CLASSES = 2


class IcfDetector(DetectorFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
    """

    geometry: ClassVar[Geometry] = SMALL

    def __init__(self, network: Network) -> None:
        self._network = network
        self.runtime = network.runtime
        self.batch_size = network.batch_size

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> IcfDetector:
        """Open an ONNX file."""
        network = open_network(
            path, opening.threads, opening.runtime, opening.device, card.network
        )
        shape = list(network.input)
        last = [output[-1] for output in network.outputs]
        if len(shape) != 4 or shape[1] != 3 or last != [_CLASSES, 4]:
            raise BadModel(
                f"{path} takes {shape} and gives rows of {last} numbers; expected "
                f"[n, 3, height, width] and [{_CLASSES}, 4]"
            )
        return cls(network)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        logits, offsets = self._network.predict(pictures)
        return read(logits, offsets, pictures.shape[1:3], min_score, self.geometry)


def read(
    logits: Numbers,
    offsets: Numbers,
    shape: tuple[int, ...],
    min_score: float,
    geometry: Geometry = SMALL,
) -> list[Found]:
    """Read the network's outputs.

    Args:
        logits: n x anchors x 2.
        offsets: n x anchors x 4.
        shape: height and width of the pictures.
        min_score: lowest score of a box.
        geometry: of the anchors.

    Returns:
        For each picture its boxes, best first, in its pixels. Boxes may overlap.
    """
    reference = geometry.anchors(*shape)
    return [
        _boxes(*each, reference, min_score, geometry)
        for each in zip(logits, offsets, strict=True)
    ]


def _boxes(
    logits: Numbers,
    offsets: Numbers,
    reference: Numbers,
    min_score: float,
    geometry: Geometry,
) -> Found:
    scores = _sigmoid(logits.max(1))
    some = np.flatnonzero(scores >= min_score)
    some = some[np.argsort(-scores[some], kind="stable")[:_MAX_BOXES]]
    boxes = geometry.decode(offsets[some], reference[some])
    return Found(boxes, scores[some], logits[some].argmax(1))


def _sigmoid(logits: Numbers) -> Numbers:
    # 1 / (1 + exp(-x)) overflows for x below -88; tanh does not.
    return np.asarray((1 + np.tanh(logits / 2)) / 2, np.float32)
