"""The format of two detectors in one file: a bundled one's network and CenterFace.

One input, n x 3 x h x w, RGB in 0..255, h and w multiples of 64, goes to both. The
first two outputs are those of `icf.models.formats.icf_detector`, the rest those of
`icf.models.formats.centerface`. So one hash names both, and one run asks both.

Each is right where the other is not: one was trained on drawings, the other on
photographs. A box has a score by either, and one that only one found has the lowest by
the other. The probability of a face is a logistic function of the two:

    1 / (1 + exp(-(own logit(a) + other logit(b) + bias)))
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import centerface, icf_detector
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.formats.outside import described
from icf.models.overlap import matched, suppress
from icf.models.runtime.network import Network, open_network

#: IoU from which two boxes are one face.
_SAME = 0.5
#: Score of a box by the detector that did not find it, and the lowest that is read.
FLOOR = 0.02
#: Before the names of what comes from CenterFace.
_PREFIX = "centerface/"
#: Outputs of the first network, and channels of the second's.
_OWN = len(("logits", "offsets"))


class Merged(DetectorFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
        card: ``own``, ``other`` and ``bias`` are the numbers of the formula above.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"own", "other", "bias"})

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self.batch_size = network.batch_size
        own, other = (card.parameters[name] for name in ("own", "other"))
        self._weights = np.array([own, other], np.float64)
        self._bias = card.parameters["bias"]

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> Merged:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        if len(network.outputs) != _OWN + len(centerface.CHANNELS):
            raise BadModel(
                f"{path} {described(network)}; expected logits, offsets, and "
                "CenterFace's four maps"
            )
        return cls(network, card)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        logits, offsets, *maps = self._network.predict(pictures)
        shape = pictures.shape[1:3]
        own = icf_detector.read(logits, offsets, shape, FLOOR)
        other = centerface.read(maps, FLOOR, kind=0)
        found = (self._one(a, b) for a, b in zip(own, other, strict=True))
        return [each[each.scores >= min_score] for each in found]

    def _one(self, own: Found, other: Found) -> Found:
        """The faces of one picture, by both."""
        own = own[suppress(own.boxes, own.scores, _SAME)]
        pairs = np.array(matched(own.boxes, other.boxes, _SAME), np.intp)
        mine, theirs = pairs.reshape(-1, 2).T
        alone = np.setdiff1d(np.arange(len(own.scores)), mine)
        others = np.setdiff1d(np.arange(len(other.scores)), theirs)
        # Of a pair the surer one says where the face is; what it is says the first.
        surer = own.scores[mine] >= other.scores[theirs]
        boxes = np.where(surer[:, None], own.boxes[mine], other.boxes[theirs])
        scores = np.full((len(boxes) + len(alone) + len(others), 2), FLOOR)
        scores[: len(boxes)] = np.stack([own.scores[mine], other.scores[theirs]], 1)
        scores[len(boxes) : len(boxes) + len(alone), 0] = own.scores[alone]
        scores[len(boxes) + len(alone) :, 1] = other.scores[others]
        return Found(
            np.concatenate([boxes, own.boxes[alone], other.boxes[others]]),
            self._probability(scores),
            np.concatenate([own.kinds[mine], own.kinds[alone], other.kinds[others]]),
        )

    def _probability(self, scores: Numbers) -> Numbers:
        clipped = np.clip(scores, FLOOR, 1 - 1e-6)
        logit = np.log(clipped / (1 - clipped)) @ self._weights + self._bias
        return np.asarray((1 + np.tanh(logit / 2)) / 2, np.float32)


def merged(own: Path, other: Path) -> bytes:
    """Put two networks into one file.

    Args:
        own: of the format ``icf-detector-onnx``.
        other: CenterFace, as it is published.

    Returns:
        An ONNX file; always the same for the same two.

    Raises:
        BadModel: one cannot be read as ONNX.
    """
    try:
        first, second = onnx.load(own), onnx.load(other)
    except Exception as error:  # protobuf has no common base class of errors
        raise BadModel(f"{own} or {other} is not a whole ONNX file: {error}") from error
    weights = {each.name for each in second.graph.initializer}
    [taken] = [each.name for each in second.graph.input if each.name not in weights]
    named = {taken: first.graph.input[0].name}
    # Its operators mean the same in the first's newer version.
    for number, node in enumerate(second.graph.node):
        node.input[:] = [_renamed(name, named) for name in node.input]
        node.output[:] = [_renamed(name, named) for name in node.output]
        node.name = f"{_PREFIX}{number}"
    for tensor in second.graph.initializer:
        tensor.name = _renamed(tensor.name, named)
    for value in second.graph.output:
        value.name = _renamed(value.name, named)
        for place, dimension in enumerate(value.type.tensor_type.shape.dim):
            if place != 1:
                dimension.dim_param = f"{value.name}_{place}"
    first.graph.node.extend(second.graph.node)
    first.graph.initializer.extend(second.graph.initializer)
    first.graph.output.extend(second.graph.output)
    return bytes(first.SerializeToString(deterministic=True))


def _renamed(name: str, named: dict[str, str]) -> str:
    return named.get(name, f"{_PREFIX}{name}" if name else "")
