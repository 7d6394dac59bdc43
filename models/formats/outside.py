"""What formats share that other programs publish: what their files are, and batches.

Such a format is a class of `icf.models.formats.base` that also is an `OutsideFormat`.
`icf model add FILE --as FORMAT` asks it what to write on the card of a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats.base import Numbers, Pixels
from icf.models.runtime.network import Network, Shape
from icf.models.runtime.onnx_header import OnnxHeader

#: What a detector's card says of the pictures: a picture is shown once, and large ones
#: also in tiles.
ONE_VIEW: Mapping[str, float] = {"overview": 0.0, "tiles": 1.0}
#: What an embedder's card says as long as nobody knows what its cosines mean: even odds
#: at a cosine of 0.5, and at most three to one whatever the cosine. So faces are
#: ordered by it, hardly any is dropped, and none taken for sure.
UNCALIBRATED: Mapping[str, float] = {
    "slope": 2.2,
    "intercept": -1.1,
    "calibrated": 0.0,
}


@dataclass(frozen=True)
class Published:
    """What is known of every file of a format.

    Attributes:
        task: as cards have it.
        parameters: the card's, as the publisher uses the file; a user may change each.
        input: of the network, in words.
        limits: what a user should know.
        licence: of the weights, as the file states it; "": it does not.
    """

    task: Literal["detect", "embed"]
    parameters: Mapping[str, float]
    input: str
    limits: tuple[str, ...] = ()
    licence: str = ""


class OutsideFormat(ABC):
    """A format that another program publishes."""

    @classmethod
    @abstractmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says.

        Args:
            header: of the file.
            network: the file, opened.
            given: numbers that the user gives in place of those returned; here for what
                the file does not say.

        Raises:
            BadModel: the file is not of this format; the message says what was expected
                and found.
        """


def prepared(
    pictures: Pixels, mean: Numbers | float, std: Numbers | float, bgr: bool = False
) -> Numbers:
    """Return pictures as a network takes them.

    Args:
        pictures: RGB, shape (n, h, w, 3).
        mean: of each channel, or of all, in 0..255.
        std: likewise.
        bgr: the network wants blue first; mean and std are in that order too.

    Returns:
        Shape (n, 3, h, w), float32: (pixels - mean) / std.
    """
    ordered = pictures[..., ::-1] if bgr else pictures
    batch = (ordered.astype(np.float32) - mean) / std
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)


def run(network: Network, batch: Numbers) -> list[Numbers]:
    """Run a network whose file may state the size of its batch, most often 1.

    Args:
        network: the opened network; its outputs have a row for each picture.
        batch: its input, shape (n, ...).

    Returns:
        Its outputs, each of n rows.
    """
    size = network.input[0]
    if not isinstance(size, int) or size < 1:
        return network.run(batch)
    parts = []
    for start in range(0, len(batch), size):
        some = batch[start : start + size]
        filling = np.repeat(some[-1:], size - len(some), 0)
        outputs = network.run(np.concatenate([some, filling]))
        parts.append([each[: len(some)] for each in outputs])
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def channels_last(shape: Shape) -> bool:
    """Whether the input of a network is n x h x w x 3, or h x w x 3."""
    return len(shape) >= len("hwc") and shape[-1] == 3 and shape[-3] != 3


def sides(shape: Shape) -> tuple[int, int] | None:
    """Return height and width of a network's input; None where they are free.

    >>> sides((1, 3, 480, 640)), sides((480, 640, 3)), sides((1, 3, "h", "w"))
    ((480, 640), (480, 640), None)
    """
    height, width = shape[-3:-1] if channels_last(shape) else shape[-2:]
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    return None


def on_canvas(
    pictures: Pixels, sides: tuple[int, int] | None, padding: tuple[int, int, int]
) -> Pixels:
    """Return pictures as large as a network wants them, in its upper left corner.

    Args:
        pictures: shape (n, h, w, 3), filled up to multiples of 64 with ``padding``.
        sides: height and width that the network wants, at least those of the pictures
            without what was filled up; None: it takes any.
        padding: the colour of the rest.
    """
    if sides is None or pictures.shape[1:3] == sides:
        return pictures
    canvas = np.empty((len(pictures), *sides, 3), np.uint8)
    canvas[:] = padding
    height, width = (min(a, b) for a, b in zip(sides, pictures.shape[1:3], strict=True))
    canvas[:, :height, :width] = pictures[:, :height, :width]
    return canvas


def check_side(network: Network, path: Path, card: ModelCard) -> None:
    """Refuse a card whose pictures are larger than the input of the network.

    Raises:
        BadModel: they are.
    """
    wanted, side = sides(network.input), card.parameters["side"]
    if wanted is not None and min(wanted) < side:
        raise BadModel(
            f"{path} {described(network)}, so the side of a picture can be "
            f"{min(wanted)} at most; its card says {side:.0f}"
        )


def takes_pictures(network: Network) -> bool:
    """Whether a network takes colour pictures, n x 3 x h x w."""
    shape = network.input
    return len(shape) == 4 and (shape[1] == 3 or not isinstance(shape[1], int))


def dimensions(network: Network, side: int) -> int:
    """Return how many numbers an embedder gives, if need be by running it once."""
    stated = network.outputs[0][-1]
    if isinstance(stated, int):
        return stated
    [vectors] = run(network, np.zeros((1, 3, side, side), np.float32))
    return int(vectors.shape[-1])


def check_embedder(network: Network, side: int, what: str) -> None:
    """Check that a network takes squares of ``side``, or of any, and gives a row each.

    Raises:
        BadModel: it does not; the message calls it ``what``.
    """
    given = sides(network.input)
    one = len(network.outputs) == 1 and len(network.outputs[0]) == len(("n", "dim"))
    if not (one and takes_pictures(network) and given in (None, (side, side))):
        raise BadModel(
            f"{what} {described(network)}; expected [n, 3, {side}, {side}] and one "
            "output, [n, dimensions]"
        )


def described(network: Network) -> str:
    """Return what a network takes and gives, for messages.

    >>> described(Network("onnxruntime", (1, 3, 64, 64), ((1, 5),), lambda batch: []))
    'takes [1, 3, 64, 64] and gives [1, 5]'
    """
    given = " and ".join(str(list(shape)) for shape in network.outputs)
    return f"takes {list(network.input)} and gives {given}"
