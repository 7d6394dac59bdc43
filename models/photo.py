"""Classify pictures as photograph or drawing; takes a few milliseconds a picture.

It always runs in ONNX Runtime, on the processor that has just decoded the picture.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.cards import ModelCard, bundled_path, verified
from icf.models.runtime.network import Network, open_network

Pixels = NDArray[np.uint8]

#: Side of each view of a picture, in pixels.
SIDE = 128
#: Where the unscaled views are: shares of the height and of the width that lie above
#: them and left of them.
PLACES = (
    (0.5, 0.5),
    *((down, right) for down in (0.15, 0.85) for right in (0.15, 0.85)),
)
#: Views of a picture: all of it, and the unscaled ones.
VIEWS = 1 + len(PLACES)


class PhotoJudge:
    """A network that was exported to ONNX; threads may share it.

    Attributes:
        card: the model's card.
        model_hash: SHA-256 of its weights.
    """

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.card = card
        self.model_hash = card.sha256

    @classmethod
    def bundled(cls) -> PhotoJudge:
        """Open the classifier that comes with the program."""
        return cls.open(bundled_path("photo"))

    @classmethod
    def open(cls, path: Path, threads: int = 1) -> PhotoJudge:
        """Open weights with their card next to them.

        Args:
            path: an ONNX file with ``NAME.json`` next to it.
            threads: processors one call may use.

        Raises:
            BadModel: the file is not what its card promises, or is for another task.
        """
        card = verified(path, "judge", set())
        network = open_network(path, threads)
        shape = list(network.input)
        if shape[1:] != [VIEWS, 3, SIDE, SIDE] or len(network.outputs) != 1:
            raise BadModel(
                f"{path} takes {shape} and gives {len(network.outputs)} outputs; "
                f"expected [n, {VIEWS}, 3, {SIDE}, {SIDE}] and one"
            )
        return cls(network, card)

    def probability(self, picture: Pixels) -> float:
        """Probability that a picture is a photograph, from 0 to 1.

        It assumes as many photographs as drawings.

        Args:
            picture: RGB, uint8, of shape (h, w, 3).
        """
        [found] = self._network.run(views(picture)[None].astype(np.float32))
        return float(found[0])


def views(picture: Pixels) -> Pixels:
    """Views of a picture: all of it reduced, and parts of it unscaled, at `PLACES`.

    The first shows the content, the others how the picture was made: brush, line and
    flat colour, or lens and sensor. A side that is too short for them is mirrored.

    Returns:
        RGB, uint8, shape (VIEWS, 3, SIDE, SIDE).
    """
    parts = [_part(picture, *place) for place in PLACES]
    return np.ascontiguousarray(
        np.stack([_reduced(picture), *parts]).transpose(0, 3, 1, 2)
    )


def _part(picture: Pixels, down: float, right: float) -> Pixels:
    height, width = picture.shape[:2]
    top, left = int(max(0, height - SIDE) * down), int(max(0, width - SIDE) * right)
    part = picture[top : top + SIDE, left : left + SIDE]
    short = (SIDE - part.shape[0], SIDE - part.shape[1])
    return np.pad(part, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")


def _reduced(picture: Pixels) -> Pixels:
    # Halving is many times cheaper than averaging over areas of other sizes.
    while min(picture.shape[:2]) >= 4 * SIDE:
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        even = picture[: 2 * height, : 2 * width]
        picture = np.asarray(
            cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    how = cv2.INTER_AREA if max(picture.shape[:2]) > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=how), np.uint8)
