"""``--crops RATE``: what is cut out around a labelled face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from icf.errors import BrokenMachine
from icf.images import Undecodable, decode
from icf.images.decoder import Pixels, encode_jpeg

#: The rate of formats that have nothing but crops, where no other is named: the paper's
#: "regions in all experiments are enlarged as 2 times width and 2 times length".
ENLARGED = 1.0
#: Of the JPEGs; there is no metadata in them, and nothing to turn.
QUALITY = 95


@dataclass(frozen=True)
class Rectangle:
    """A part of an upright picture, in whole pixels; x2 and y2 are exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int

    def __str__(self) -> str:
        """Return its corners, as messages show boxes.

        >>> str(Rectangle(1, 2, 30, 40))
        '(1, 2, 30, 40)'
        """
        return f"({self.x1}, {self.y1}, {self.x2}, {self.y2})"

    @property
    def width(self) -> int:
        """Of what is cut out."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Of what is cut out."""
        return self.y2 - self.y1


def crop_rectangle(
    corners: Sequence[float], size: tuple[int, int], rate: float
) -> Rectangle:
    """Enlarge a box by a share of its sides, half of it on each; inside the picture.

    A rate of 1.0 doubles width and height: "enlarged 2x" in table 5 of the paper.
    Nothing is added where the picture ends, so that every pixel is one of the picture.

    Args:
        corners: x1, y1, x2, y2 in pixels of the upright picture.
        size: width and height of the picture.
        rate: 0 adds nothing.

    >>> crop_rectangle((10.0, 10.0, 20.0, 30.0), (24, 100), 1.0)
    Rectangle(x1=5, y1=0, x2=24, y2=40)
    """
    x1, y1, x2, y2 = corners
    width, height = size
    beside, above = (x2 - x1) * rate / 2, (y2 - y1) * rate / 2
    # Whole pixels: the published lists round to the nearest, and nothing of it is lost.
    left = math.floor(max(0, min(x1 - beside, width - 1)))
    top = math.floor(max(0, min(y1 - above, height - 1)))
    return Rectangle(
        left,
        top,
        math.ceil(max(left + 1, min(x2 + beside, width))),
        math.ceil(max(top + 1, min(y2 + above, height))),
    )


def square_around(corners: Sequence[float], rate: float) -> Rectangle:
    """Return the square around a box that is enlarged; it may leave the picture.

    >>> square_around((10.0, 10.0, 20.0, 30.0), 1.0)
    Rectangle(x1=-5, y1=0, x2=35, y2=40)
    """
    x1, y1, x2, y2 = corners
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + rate)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    return Rectangle(left, top, left + side, top + side)


def cut(data: bytes, part: Rectangle) -> bytes:
    """Cut a part out of a picture; return a JPEG, the same for the same bytes.

    Raises:
        BrokenMachine: the picture cannot be decoded any more.
    """
    pixels = decoded(data)[part.y1 : part.y2, part.x1 : part.x2]
    return encode_jpeg(pixels, QUALITY)


def decoded(data: bytes) -> Pixels:
    """Return the pixels of a picture of the release, upright.

    Raises:
        BrokenMachine: it cannot be decoded any more.
    """
    try:
        return decode(data).pixels
    except Undecodable as error:
        raise BrokenMachine(
            f"a picture of the release cannot be decoded to cut its face out: {error}; "
            "run `icf doctor --full`"
        ) from error
