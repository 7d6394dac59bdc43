"""Turn face crops into vectors; faces of one character get similar ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.models.cards import ModelCard
from icf.models.formats.base import EmbedderFormat, check_pictures
from icf.models.opened import OpenedModel

Pixels = NDArray[np.uint8]

_BATCH = 32


class Embedder(OpenedModel):
    """An embedder of any format; threads may share it.

    Attributes:
        card: the model's card.
        model_hash: SHA-256 of its weights.
        dim: numbers in an embedding.
        crop_rate: how far a face's box is enlarged before it is cut out.
        curve: from the cosine of two faces to odds, from its card.
    """

    _network: EmbedderFormat
    task = "embed"
    bundled_name = "embedder"
    kind = EmbedderFormat
    parameters = frozenset({"crop_rate", "slope", "intercept"})

    def __init__(self, network: EmbedderFormat, card: ModelCard) -> None:
        super().__init__(network, card)
        self.dim = network.dim
        self.crop_rate = float(card.parameters["crop_rate"])
        self.curve = Curve(
            float(card.parameters["slope"]), float(card.parameters["intercept"])
        )

    def embed(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed face crops.

        Args:
            crops: n pictures, RGB, uint8, of any sizes, as `crop_face` cuts them.

        Returns:
            Shape (n, dim), float32; each row has length 1.

        Raises:
            WrongUse: a crop is something else.
        """
        check_pictures(crops)
        rows = [np.zeros((0, self.dim), np.float32)]
        size = max(_BATCH, 4 * self._network.batch_size)
        for start in range(0, len(crops), size):
            vectors = self._network.embed(crops[start : start + size])
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            rows.append(vectors / np.maximum(lengths, 1e-12))
        return np.concatenate(rows).astype(np.float32)


def crop_face(
    image: Pixels, box: tuple[float, float, float, float], rate: float
) -> Pixels:
    """Cut out a square around a face.

    The square's side is the box's longer side, enlarged by ``rate``: 1.0 doubles it
    (paper, table 5). Where the square leaves the image, the image's edge is repeated.

    Args:
        image: RGB, uint8, shape (h, w, 3).
        box: x1, y1, x2, y2 in pixels.
        rate: share of the box that is added to width and height; 0 adds nothing.

    Returns:
        RGB, uint8, shape (side, side, 3).
    """
    height, width = image.shape[:2]
    side = max(1, round(max(box[2] - box[0], box[3] - box[1]) * (1 + rate)))
    left = round((box[0] + box[2] - side) / 2)
    top = round((box[1] + box[3] - side) / 2)
    if 0 <= left <= width - side and 0 <= top <= height - side:
        return np.ascontiguousarray(image[top : top + side, left : left + side])
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    # First the columns and rows that there are: far fewer than those of the image.
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    padded = part[rows - rows[0]][:, columns - columns[0]]
    return np.ascontiguousarray(padded)
