"""What a model format has to do, and the table of formats.

A format is one file with one class. It opens the weights, prepares pictures for the
network and reads its outputs. `icf.models.detection` and `icf.models.embedding` do the
rest: views and tiles, batches, non-maximum suppression, unit length, calibration.

A new format is a line in `FORMATS`, or an entry point of the group
``icf.model_formats`` in another package; a model's card names its format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel, WrongUse
from icf.models.by_name import Registry
from icf.models.card_numbers import OF_FORMATS, check_numbers
from icf.models.cards import ModelCard
from icf.models.runtime.network import Device, Runtime
from icf.models.views import PADDING

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float32]


def check_pictures(pictures: Sequence[Pixels]) -> None:
    """See that pictures are what models take; others would give wrong numbers.

    Raises:
        WrongUse: one is not RGB, uint8, of shape (h, w, 3).
    """
    for each in pictures:
        rgb = each.ndim == len("hwc") and each.shape[2] == len("rgb") and each.size
        if each.dtype != np.uint8 or not rgb:
            raise WrongUse(
                f"a picture is {each.dtype} of shape {each.shape}; expected a list of "
                "RGB pictures, uint8 of 0 to 255, each of shape (h, w, 3)"
            )


#: Every format that comes with the program.
FORMATS = Registry(
    kind="model format",
    group="icf.model_formats",
    own={
        "icf-detector-onnx": "icf.models.formats.icf_detector:IcfDetector",
        "icf-retinanet-onnx": "icf.models.formats.icf_retinanet:IcfRetinaNet",
        "icf-embedder-onnx": "icf.models.formats.icf_embedder:IcfEmbedder",
        "centerface": "icf.models.formats.centerface:CenterFace",
        "icf-centerface-onnx": "icf.models.formats.merged:Merged",
        "yolov8": "icf.models.formats.yolov8:YoloV8",
        "scrfd": "icf.models.formats.scrfd:Scrfd",
        "retinaface": "icf.models.formats.scrfd:Scrfd",
        "detector": "icf.models.formats.own_detector:OwnDetector",
        "arcface": "icf.models.formats.arcface:ArcFace",
        "embedder": "icf.models.formats.own_embedder:OwnEmbedder",
        "ccip": "icf.models.formats.ccip:Ccip",
    },
)


@dataclass(frozen=True)
class Opening:
    """How to open a model.

    Attributes:
        threads: processors that one call may use.
        runtime: what runs it.
        device: where PyTorch computes.
    """

    threads: int = 1
    runtime: Runtime = "onnxruntime"
    device: Device = "auto"


@dataclass(frozen=True)
class Found:
    """The faces found in one picture.

    Attributes:
        boxes: shape (n, 4): x1, y1, x2, y2 in pixels.
        scores: shape (n,), from 0 to 1.
        kinds: shape (n,), indices into `icf.models.detection.KINDS`: 0 is a cartoon
            face, 1 a human one.
    """

    boxes: Numbers
    scores: Numbers
    kinds: NDArray[np.intp]

    def __getitem__(self, some: NDArray[np.intp] | NDArray[np.bool_]) -> Found:
        """Select faces by index or mask."""
        return Found(self.boxes[some], self.scores[some], self.kinds[some])


class DetectorFormat(ABC):
    """An opened detector; threads may share it.

    Attributes:
        runtime: what runs it: ``"onnxruntime"``, ``"openvino"``, ``"torch"``, ...
        batch_size: pictures of one shape to pass at a time.
        leaves_out: the network itself drops weak boxes, so that a picture may have
            none, whatever ``min_score`` is.
    """

    #: Parameters that cards of this format need in addition to every detector's.
    parameters: ClassVar[frozenset[str]] = frozenset()
    #: Colour around a picture whose sides are no multiples of 64.
    padding: ClassVar[tuple[int, int, int]] = PADDING

    runtime: str = "onnxruntime"
    batch_size: int = 1
    leaves_out: bool = False

    @classmethod
    @abstractmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> DetectorFormat:
        """Open the weights in ``path``, whose hash is that of the card.

        Raises:
            BadModel: the file cannot be opened, or its shapes do not fit the format.
        """

    @abstractmethod
    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces.

        Args:
            pictures: RGB, shape (n, h, w, 3), h and w multiples of 64; the longer side
                is at most the ``side`` of the card, rounded up.
            min_score: lowest score of a box.

        Returns:
            For each picture its boxes, in its pixels. Boxes may overlap.
        """


class EmbedderFormat(ABC):
    """An opened embedder; threads may share it.

    Attributes:
        dim: numbers in an embedding.
        batch_size: batches have four times as many crops, and at least 32.
    """

    #: Parameters that cards of this format need in addition to every embedder's.
    parameters: ClassVar[frozenset[str]] = frozenset()

    dim: int
    batch_size: int = 1

    @classmethod
    @abstractmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> EmbedderFormat:
        """Open the weights in ``path``, whose hash is that of the card.

        Raises:
            BadModel: the file cannot be opened, or its shapes do not fit the format.
        """

    @abstractmethod
    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops.

        Args:
            crops: RGB, squares of any size; `resized` brings them to one.

        Returns:
            Shape (n, dim), rows of any length.
        """


def format_of(card: ModelCard, base: type) -> Any:
    """Return the class that opens the model of a card.

    Args:
        card: of the model.
        base: `DetectorFormat` or `EmbedderFormat`, which the class must extend.

    Raises:
        BadModel: there is no such format, it is for another task, or the card lacks
            one of its parameters, or gives one that is not allowed.
    """
    found: Any = FORMATS.load(card.format)
    if base not in getattr(found, "__mro__", ()):
        raise BadModel(
            f"{card.file} has the format {card.format!r}, which cannot {card.task}"
        )
    if missing := sorted(found.parameters - card.parameters.keys()):
        raise BadModel(f"the card of {card.file} does not give {', '.join(missing)}")
    if card.format in FORMATS.own:
        check_numbers(card.parameters, OF_FORMATS, f"the card of {card.file}")
    return found


def resized(crop: Pixels, side: int) -> Pixels:
    """Resize a picture to a square of ``side`` pixels."""
    shrinks = max(crop.shape[:2]) > side
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side, side), interpolation=how), np.uint8)
