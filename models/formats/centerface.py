"""The format of CenterFace, a detector of photographed faces in one pass.

Input: n x 3 x h x w, RGB in 0..255, sides multiples of 32. Outputs, at stride 4: a map
of scores (1), the logarithms of height and width in units of the stride (2), how far
the middle lies from its cell's, down and to the right (2), and five points of the face
(10), which are not used here (Xu et al. 2019, arXiv:1911.03599).

The published file states pictures of 32 x 32 pixels, ten at a time; its graph takes
any, and is opened so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import outside
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.overlap import suppress
from icf.models.runtime.free_sizes import with_free_sizes
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader

#: Channels of the outputs: scores, sizes, offsets, points.
CHANNELS = (1, 2, 2, 10)
STRIDE = 4
#: Longer side at which a picture is shown, and the lowest score of a face.
_SIDE, _MIN_SCORE = 640, 0.5
#: Every cell near the middle of a face has a score; IoU above which the best is kept.
_SAME = 0.4
#: Most cells of one picture that are read, best first.
_MAX_CELLS = 1000
#: A logarithm of a size counts as at most this, so that no box overflows.
_MAX_GROWTH = 9.0


class CenterFace(DetectorFormat, OutsideFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
        card: ``kind`` is 0 if its faces are cartoons and 1 if they are human.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"kind"})

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self.batch_size = network.batch_size
        self._kind = int(card.parameters["kind"])

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        _check(network, "the file")
        return Published(
            "detect",
            {
                "min_score": _MIN_SCORE,
                "side": float(_SIDE),
                **outside.ONE_VIEW,
                "kind": 0.0,
            },
            "n x 3 x h x w, RGB, 0 to 255, longer side resized",
            (
                "It was trained on photographed faces, and does not tell them from "
                "drawn ones: what it finds counts as a cartoon.",
            ),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> CenterFace:
        """Open an ONNX file, and let it take pictures of any size."""
        network = open_network(
            path,
            opening.threads,
            opening.runtime,
            opening.device,
            content=with_free_sizes(path),
        )
        _check(network, str(path))
        return cls(network, card)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        return read(self._network.predict(pictures), min_score, self._kind)


def read(outputs: Sequence[Numbers], min_score: float, kind: int) -> list[Found]:
    """Read the network's outputs.

    Args:
        outputs: scores n x 1 x h x w, sizes n x 2 x h x w, offsets n x 2 x h x w; what
            follows is left alone.
        min_score: lowest score of a face.
        kind: of every face, an index into `icf.models.detection.KINDS`.

    Returns:
        For each picture its faces, best first, in its pixels.
    """
    scores, sizes, offsets = outputs[:3]
    return [
        _faces(heat[0], size, offset, min_score, kind)
        for heat, size, offset in zip(scores, sizes, offsets, strict=True)
    ]


def _faces(
    heat: Numbers, sizes: Numbers, offsets: Numbers, min_score: float, kind: int
) -> Found:
    some = np.flatnonzero(heat >= min_score)
    some = some[np.argsort(-heat.ravel()[some], kind="stable")[:_MAX_CELLS]]
    row, column = np.unravel_index(some, heat.shape)
    # Both maps have what is vertical first.
    middle = np.stack([column, row], 1) + 0.5 + offsets[::-1, row, column].T
    growth = np.minimum(sizes[::-1, row, column].T, _MAX_GROWTH)
    half = np.exp(growth) / 2
    boxes = np.asarray(
        STRIDE * np.concatenate([middle - half, middle + half], 1), np.float32
    )
    found = Found(boxes, heat[row, column], np.full(len(some), kind, np.intp))
    return found[suppress(found.boxes, found.scores, _SAME)]


def _check(network: Network, what: str) -> None:
    """Refuse a network with other inputs or outputs.

    Raises:
        BadModel: it has.
    """
    channels = tuple(
        shape[1] if len(shape) == len(("n", "channels", "h", "w")) else None
        for shape in network.outputs
    )
    if channels != CHANNELS or not outside.takes_pictures(network):
        raise BadModel(
            f"{what} {outside.described(network)}; expected [n, 3, height, width], and "
            "maps of scores (1 channel), sizes (2), offsets (2) and points (10)"
        )
