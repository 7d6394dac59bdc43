"""The format of the face detectors in insightface's packs: SCRFD and RetinaFace.

Input: n x 3 x h x w, RGB, (x - 127.5) / 128; the picture resized by its longer side,
the rest black. The outputs are for each stride: scores, then distances, then in some
files five points of the face, which are not used here. At each place of a map of
stride s, rows first, there are a boxes. A box reaches from its place to the left, top,
right and bottom by four distances, in units of the stride (Guo et al. 2021,
arXiv:2105.04714; the places are the upper left corners of the cells).

Files of 6 or 9 outputs have strides 8, 16, 32 and two boxes at each place, those of 10
or 15 also 64 and 128, and one. Older files have outputs without a dimension for the
batch, rows x 1 and rows x 4; they take one picture at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import outside
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader

#: Mean and deviation of the pixels, as insightface has them.
_MEAN, _STD = 127.5, 128.0
#: Side at which insightface shows pictures, and its lowest score.
_SIDE, _MIN_SCORE = 640, 0.5
#: By the number of outputs: the strides, and the boxes at each place.
_LAYOUTS: dict[int, tuple[tuple[int, ...], int]] = {
    6: ((8, 16, 32), 2),
    9: ((8, 16, 32), 2),
    10: ((8, 16, 32, 64, 128), 1),
    15: ((8, 16, 32, 64, 128), 1),
}
#: Numbers in a row of the outputs: a score, four distances, five points.
_ROWS = (1, 4, 10)


class Scrfd(DetectorFormat, OutsideFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
        card: ``kind`` is 0 if its faces are cartoons and 1 if they are human;
            ``mean``, ``std`` and ``bgr`` describe the input.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"kind", "mean", "std", "bgr"})
    padding: ClassVar[tuple[int, int, int]] = (0, 0, 0)

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self._sides = outside.sides(network.input)
        self._strides, self._boxes = _LAYOUTS[len(network.outputs)]
        self._numbers = card.parameters

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        _check(network, "the file")
        sides = outside.sides(network.input)
        return Published(
            "detect",
            {
                "min_score": _MIN_SCORE,
                "side": float(min(sides) if sides else _SIDE),
                **outside.ONE_VIEW,
                "kind": 0.0,
                "mean": _MEAN,
                "std": _STD,
                "bgr": 0.0,
            },
            "RGB, (x - 127.5) / 128, longer side resized, the rest black",
            (
                "It was published for photographed faces, and does not tell them from "
                "drawn ones: what it finds counts as a cartoon.",
            ),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> Scrfd:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        _check(network, str(path))
        outside.check_side(network, path, card)
        return cls(network, card)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        return [self._detect(each, min_score) for each in pictures]

    def _detect(self, picture: Pixels, min_score: float) -> Found:
        shown = outside.on_canvas(picture[None], self._sides, self.padding)
        numbers = self._numbers
        batch = outside.prepared(
            shown, numbers["mean"], numbers["std"], bool(numbers["bgr"])
        )
        outputs = [
            rows[0] if rows.ndim == len(("batch", "rows", "numbers")) else rows
            for rows in self._network.run(batch)
        ]
        height, width = shown.shape[1:3]
        scores, boxes = [], []
        for level, stride in enumerate(self._strides):
            found = outputs[level][:, 0]
            distances = outputs[level + len(self._strides)]
            places = _places(height, width, stride, self._boxes)
            if len(found) != len(places) or len(distances) != len(places):
                raise BadModel(
                    f"it gives {len(found)} scores and {len(distances)} boxes of "
                    f"stride {stride} for a picture of {width} x {height}; expected "
                    f"{len(places)}"
                )
            some = np.flatnonzero(found >= min_score)
            scores.append(found[some])
            boxes.append(_decoded(places[some], distances[some] * stride))
        kinds = np.full(sum(map(len, scores)), int(numbers["kind"]), np.intp)
        return Found(np.concatenate(boxes), np.concatenate(scores), kinds)


def _check(network: Network, what: str) -> None:
    """Refuse a network with other inputs or outputs.

    Raises:
        BadModel: it has.
    """
    last = [shape[-1] if shape else None for shape in network.outputs]
    strides, _ = _LAYOUTS.get(len(last), ((), 0))
    expected = [number for number in _ROWS for _ in strides][: len(last)]
    # A file may leave sizes open; the names of such are no numbers.
    stated = [
        a if isinstance(a, int) else b for a, b in zip(last, expected, strict=False)
    ]
    if not strides or stated != expected or not outside.takes_pictures(network):
        raise BadModel(
            f"{what} takes {list(network.input)} and gives {len(last)} outputs with "
            f"rows of {last} numbers; expected [n, 3, height, width] and 6, 9, 10 or "
            "15 outputs: of each stride scores (1), then distances (4), points (10)"
        )


def _places(height: int, width: int, stride: int, boxes: int) -> Numbers:
    """The places that boxes start from, in pixels, shape (places x boxes, 2)."""
    y, x = np.mgrid[: -(-height // stride), : -(-width // stride)]
    places = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32) * stride
    return np.repeat(places, boxes, 0)


def _decoded(places: Numbers, distances: Numbers) -> Numbers:
    return np.concatenate([places - distances[:, :2], places + distances[:, 2:4]], 1)
