"""How pictures go into a network of people's own, as its card says.

Each channel becomes (x / scale - mean) / std, where x is 0 to 255, in the network's
order of channels, first or last.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from icf.errors import BadModel
from icf.models.card_numbers import COLOURS
from icf.models.formats import outside
from icf.models.formats.base import Numbers, Pixels
from icf.models.runtime.network import Network, Shape

#: What is a picture of bytes, divided by 255, as most networks see it.
UNCHANGED: Mapping[str, float] = {
    "scale": 255.0,
    **{f"mean_{colour}": 0.0 for colour in COLOURS},
    **{f"std_{colour}": 1.0 for colour in COLOURS},
    "bgr": 0.0,
}


class OwnInput:
    """Makes what a network takes from pictures.

    Args:
        network: the opened network.
        numbers: of its card: ``scale``, ``mean_red`` ... and ``bgr``.
    """

    def __init__(self, network: Network, numbers: Mapping[str, float]) -> None:
        self._scale, self._bgr = numbers["scale"], bool(numbers["bgr"])
        order = COLOURS[::-1] if self._bgr else COLOURS
        self._mean, self._std = (
            np.array([numbers[f"{what}_{colour}"] for colour in order], np.float32)
            for what in ("mean", "std")
        )
        self._last = outside.channels_last(network.input)

    def batch(self, pictures: Pixels) -> Numbers:
        """Return what the network takes.

        Args:
            pictures: RGB, shape (n, h, w, 3).

        Returns:
            Shape (n, 3, h, w), or (n, h, w, 3), float32.
        """
        batch = outside.prepared(
            pictures, self._scale * self._mean, self._scale * self._std, self._bgr
        )
        return (
            np.ascontiguousarray(batch.transpose(0, 2, 3, 1)) if self._last else batch
        )


def said(given: Mapping[str, float]) -> bool:
    """Whether a user says how pictures go in."""
    return any(name.partition("_")[0] in ("scale", "mean", "std") for name in given)


def in_words(network: Network, given: Mapping[str, float], sides: str) -> str:
    """Return what a network takes, for its card.

    Args:
        network: the opened network.
        given: numbers of its card that a user gives.
        sides: of its pictures, as ``"112 x 112"``.
    """
    shape = f"{sides} x 3" if outside.channels_last(network.input) else f"3 x {sides}"
    return (
        f"n x {shape}, {'BGR' if given.get('bgr') else 'RGB'}, "
        f"(x / {given.get('scale', 255):g} - mean) / std by channel"
    )


def check(numbers: Mapping[str, float]) -> None:
    """Refuse numbers of a card that do not fit each other.

    Raises:
        BadModel: a mean is none that pictures can have.
    """
    highest = 255 / numbers["scale"]
    for name in (f"mean_{colour}" for colour in COLOURS):
        if not 0 <= numbers[name] <= highest:
            raise BadModel(
                f"{name} is {numbers[name]:g}, but pictures reach from 0 to "
                f"{highest:g} before it is subtracted: their numbers, 0 to 255, are "
                "divided by scale; --parameter scale=1 leaves them as they are"
            )


def takes_colours(shape: Shape) -> bool:
    """Whether an input has a place for three channels; of several pictures, or of one.

    >>> takes_colours(("n", 3, 64, 64)), takes_colours(("n", "h", "w", 3))
    (True, True)
    >>> takes_colours((3, "h", "w")), takes_colours((1, 1, 64, 64))
    (True, False)
    """
    if len(shape) not in (len("chw"), len("nchw")):
        return False
    return (
        outside.channels_last(shape)
        or not isinstance(shape[-3], int)
        or (shape[-3] == 3)
    )
