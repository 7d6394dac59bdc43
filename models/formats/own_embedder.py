"""The format of any other embedder: its card says how pictures go in.

The file states the side of its crops and where its channels are: n x 3 x side x side,
or n x side x side x 3. Each channel becomes (x / scale - mean) / std, in the file's
order. One of the outputs is n x dimensions, of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import outside, own_input
from icf.models.formats.base import EmbedderFormat, Numbers, Opening, Pixels, resized
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.formats.own_input import UNCHANGED, OwnInput
from icf.models.runtime.network import Network, Shape, open_network
from icf.models.runtime.onnx_header import OnnxHeader

#: A limit on the card of a file of which nobody said how pictures go in.
_NOT_SAID = (
    "It gets RGB in 0 to 1, as nobody said anything else: a network that was trained "
    "on other numbers gives worse embeddings, and no error. --parameter scale=, mean= "
    "and std= say what its training did."
)


class OwnEmbedder(EmbedderFormat, OutsideFormat):
    """An opened embedder of this format.

    Args:
        network: the opened network.
        card: ``side``, ``scale``, ``mean_red`` ... and ``bgr`` describe the input;
            ``output`` says which of the outputs is the embedding, from 0 on.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({*UNCHANGED, "side", "output"})

    def __init__(self, network: Network, card: ModelCard) -> None:
        numbers = card.parameters
        self._network = network
        self._side = int(numbers["side"])
        self._output = int(numbers["output"])
        self._input = OwnInput(network, numbers)
        self.batch_size = network.batch_size
        stated = network.outputs[self._output][1]
        self.dim = stated if isinstance(stated, int) else self._measured()

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        stated = _side(network)
        side = int(given.get("side", stated or 0))
        if not side:
            raise BadModel(
                f"it {outside.described(network)}: it takes pictures of any side: say "
                "which it was trained on, as in --parameter side=112"
            )
        return Published(
            "embed",
            {
                "crop_rate": 0.5,
                **outside.UNCALIBRATED,
                "side": float(side),
                **UNCHANGED,
                "output": given.get("output", float(_output(network))),
            },
            own_input.in_words(network, given, f"{side} x {side}"),
            () if own_input.said(given) else (_NOT_SAID,),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> OwnEmbedder:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        _check(network, card.parameters)
        return cls(network, card)

    def embed(self, crops: Sequence[Pixels]) -> Numbers:
        """Embed crops."""
        pictures = np.stack([resized(crop, self._side) for crop in crops])
        batch = self._input.batch(pictures)
        rows = outside.run(self._network, batch)[self._output]
        return rows.reshape(len(rows), -1)

    def _measured(self) -> int:
        """How many numbers an embedding has, where the file does not state it."""
        vectors = self.embed([np.zeros((self._side, self._side, 3), np.uint8)])
        return int(vectors.shape[1])


def _check(network: Network, numbers: Mapping[str, float]) -> None:
    """Refuse numbers of a card that do not fit the network, or each other.

    Raises:
        BadModel: they do not.
    """
    side, stated = int(numbers["side"]), _side(network)
    if stated not in (None, side):
        raise BadModel(f"it takes pictures of side {stated}; its card says {side}")
    output, shapes = numbers["output"], network.outputs
    if output not in range(len(shapes)):
        raise BadModel(f"output={output:g}, counted from 0: it has {len(shapes)}")
    if not _is_embedding(shapes[int(output)]):
        raise BadModel(
            f"output {output:g} of it is {list(shapes[int(output)])}; expected "
            "[n, dimensions]: pool its tokens or places before the export"
        )
    own_input.check(numbers)


def _side(network: Network) -> int | None:
    """The side that a file states; None: any.

    Raises:
        BadModel: it takes no squares of three colours.
    """
    shape = network.input
    at = slice(1, 3) if outside.channels_last(shape) else slice(2, 4)
    stated = {each for each in shape[at] if isinstance(each, int)}
    one = len(shape) == len("nchw") and len(stated) <= 1
    if not (one and own_input.takes_colours(shape)):
        raise BadModel(
            f"it {outside.described(network)}; expected [n, 3, side, side] or "
            "[n, side, side, 3], and one output of [n, dimensions]"
        )
    return stated.pop() if stated else None


def _output(network: Network) -> int:
    """Which output is the embedding.

    Raises:
        BadModel: none can be, or several.
    """
    found = [at for at, each in enumerate(network.outputs) if _is_embedding(each)]
    if len(found) == 1:
        return found[0]
    raise BadModel(
        f"it {outside.described(network)}; expected one output of [n, dimensions]"
        + (": say which, as in --parameter output=0" if found else "")
    )


def _is_embedding(shape: Shape) -> bool:
    """Whether an output has a row of numbers for each picture.

    >>> _is_embedding(("n", 512)), _is_embedding(("n", 512, 1, 1))
    (True, True)
    >>> _is_embedding(("n", 7, 512)), _is_embedding(("n",))
    (False, False)
    """
    return len(shape) > 1 and all(each == 1 for each in shape[2:])
