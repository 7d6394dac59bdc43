"""Turn face crops into vectors; faces of one character get similar ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.models.cards import ModelCard, bundled_path, verified, weights_path
from icf.models.formats.base import (
    EmbedderFormat,
    Opening,
    check_pictures,
    format_of,
)
from icf.models.runtime.network import Device, Runtime

Pixels = NDArray[np.uint8]

#: Parameters that every embedder's card gives.
_PARAMETERS = frozenset({"crop_rate", "slope", "intercept"})
_BATCH = 32


class Embedder:
    """An embedder of any format; threads may share it.

    Attributes:
        card: the model's card.
        model_hash: SHA-256 of its weights.
        dim: numbers in an embedding.
        crop_rate: how far a face's box is enlarged before it is cut out.
        curve: from the cosine of two faces to odds, from its card.
    """

    def __init__(self, network: EmbedderFormat, card: ModelCard) -> None:
        self._network = network
        self.card = card
        self.model_hash = card.sha256
        self.dim = network.dim
        self.crop_rate = float(card.parameters["crop_rate"])
        self.curve = Curve(
            float(card.parameters["slope"]), float(card.parameters["intercept"])
        )

    @classmethod
    def bundled(
        cls, runtime: Runtime = "onnxruntime", device: Device = "auto"
    ) -> Embedder:
        """Open the embedder that comes with the program."""
        return cls.open(bundled_path("embedder"), runtime=runtime, device=device)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        threads: int = 1,
        runtime: Runtime = "onnxruntime",
        device: Device = "auto",
    ) -> Embedder:
        """Open a model by the format that its card names.

        Args:
            path: the weights with ``NAME.json`` next to them, or that card.
            threads: processors one call may use.
            runtime: what runs it.
            device: where PyTorch computes.

        Raises:
            BadModel: the file is not what its card promises, or not an embedder.
        """
        path = weights_path(Path(path))
        card = verified(path, "embed", _PARAMETERS)
        opening = Opening(threads, runtime, device)
        form: type[EmbedderFormat] = format_of(card, EmbedderFormat)
        return cls(form.open(path, card, opening), card)

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

    def probability_same(self, cosine: float) -> float:
        """Calibrated probability that two faces of this cosine are one character.

        A logistic curve (Platt 1999), fitted on held-out styles with same and different
        pairs weighted equally.
        """
        return float(self.curve.probability(cosine))


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
