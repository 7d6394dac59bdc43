"""Turn face crops into vectors: equal characters get near ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.errors import BadModel
from icf.models.cards import ModelCard, bundled_path, verified
from icf.models.runtime.network import Device, Network, Runtime, open_network

Pixels = NDArray[np.uint8]

#: Side of the network's input, in pixels.
SIDE = 112
_BATCH = 32


class Embedder:
    """An embedder that was exported to ONNX; threads may share it.

    Attributes:
        card: the model's card.
        model_hash: SHA-256 of its weights.
        dim: numbers in an embedding.
        crop_rate: how far faces are enlarged before they are cut out for it.
        curve: from the cosine of two faces to odds, as its card has it.
    """

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.card = card
        self.model_hash = card.sha256
        self.dim = int(network.outputs[0][1] or 0)
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
        path: Path,
        threads: int = 1,
        runtime: Runtime = "onnxruntime",
        device: Device = "auto",
    ) -> Embedder:
        """Open weights with their card beside them.

        Args:
            path: an ONNX file with ``NAME.json`` beside it.
            threads: processors one call may use.
            runtime: what runs it.
            device: where PyTorch computes.

        Raises:
            BadModel: the file is not what its card promises, or not an embedder.
        """
        card = verified(path, "embed", {"crop_rate", "slope", "intercept"})
        network = open_network(path, threads, runtime, device)
        shape = list(network.input)
        if shape[1:] != [3, SIDE, SIDE] or len(network.outputs) != 1:
            raise BadModel(
                f"{path} takes {shape} and gives {len(network.outputs)} outputs; "
                f"expected [n, 3, {SIDE}, {SIDE}] and one"
            )
        return cls(network, card)

    def embed(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed face crops.

        Args:
            crops: n pictures, RGB, uint8, of any sizes, as `crop_face` cuts them.

        Returns:
            Shape (n, dim), float32; each row has length 1.
        """
        rows = [np.zeros((0, self.dim), np.float32)]
        size = max(_BATCH, 4 * self._network.together)
        for start in range(0, len(crops), size):
            some = [_fitted(crop) for crop in crops[start : start + size]]
            [vectors] = self._network.look(np.stack(some))
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            rows.append(vectors / np.maximum(lengths, 1e-12))
        return np.concatenate(rows).astype(np.float32)

    def probability_same(self, cosine: float) -> float:
        """Calibrated probability that two faces of this cosine are one character.

        A logistic curve (Platt 1999), fitted on styles that were not trained on, with
        as many equal as different pairs.
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
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    return np.ascontiguousarray(image[rows][:, columns])


def _fitted(crop: Pixels) -> Pixels:
    shrinks = max(crop.shape[:2]) > SIDE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=how), np.uint8)
