"""A picture with its faces, as training sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.data.picture_cache import ReducedPictures

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture and its faces.

    Attributes:
        pixels: RGB, shape (h, w, 3).
        boxes: shape (m, 4), float32: x1, y1, x2, y2 in pixels.
        kinds: shape (m,), int64: 0 for a cartoon face, 1 for a human one.
        ignored: shape (k, 4), float32: boxes that a detector may find or not.
        complete: all faces are labelled, so that the rest is background.
    """

    pixels: Pixels
    boxes: Boxes
    kinds: NDArray[np.int64]
    ignored: Boxes
    complete: bool = True


def read_sample(data: ReducedPictures, number: int) -> Sample:
    """Read a picture with its faces; a face whose box is not known is none of them.

    Raises:
        BrokenMachine: the cache is damaged.
    """
    index = data.index
    some = index.faces_of(number)
    boxes, ignored = index.boxes[some], index.ignored[some]
    there = (boxes[:, 2:] > boxes[:, :2]).all(1)
    found = there & ~ignored
    return Sample(
        data.pixels(number),
        boxes[found],
        index.human[some][found].astype(np.int64),
        boxes[there & ignored],
        bool(index.complete[number]),
    )
