"""Where detectors have their anchors, and how offsets move them; in numpy.

The trainer computes the same in PyTorch (`icf.models.training.detector.targets`), and
tests check that the two are equal, and that `TORCHVISION` is what torchvision computes.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


@dataclass(frozen=True)
class Geometry:
    """The anchors of a network and the meaning of its box offsets.

    An offset (dx, dy, dw, dh) moves an anchor's centre by ``std[:2] * (dx, dy)`` of its
    sides, and multiplies these by ``exp(std[2:] * (dw, dh))`` (Girshick et al. 2014,
    arXiv:1311.2524, appendix C).

    Attributes:
        strides: pixels between two cells of each level, finest first.
        shapes: by level the width and height of the anchors of a cell, in pixels.
        inset: place of a cell's anchors: 0.5 is its middle, 0 its upper left corner.
        std: by which the four offsets are divided in training.
        max_growth: ``std * dw`` counts as at most this, so that no box overflows.
    """

    strides: tuple[int, ...]
    shapes: tuple[tuple[tuple[float, float], ...], ...]
    inset: float
    std: tuple[float, float, float, float]
    max_growth: float

    def anchors(self, height: int, width: int) -> Boxes:
        """Return the anchors of a picture, in the order of the network's output.

        Args:
            height: in pixels, a multiple of 64.
            width: in pixels, a multiple of 64.

        Returns:
            Shape (n, 4), float32: x1, y1, x2, y2 in pixels; read-only.
        """
        return _anchors(self, height, width)

    def decode(self, offsets: Boxes, reference: Boxes) -> Boxes:
        """Apply offsets to anchors.

        Args:
            offsets: shape (n, 4), as the network gives them.
            reference: shape (n, 4), the anchors they belong to.

        Returns:
            Shape (n, 4): x1, y1, x2, y2 in pixels.
        """
        scaled = offsets * np.array(self.std, np.float32)
        size = reference[:, 2:] - reference[:, :2]
        middle = (reference[:, :2] + reference[:, 2:]) / 2 + scaled[:, :2] * size
        half = size * np.exp(np.minimum(scaled[:, 2:], self.max_growth)) / 2
        return np.concatenate([middle - half, middle + half], 1)


@functools.lru_cache(maxsize=64)
def _anchors(geometry: Geometry, height: int, width: int) -> Boxes:
    levels = []
    for stride, shapes in zip(geometry.strides, geometry.shapes, strict=True):
        # The last level of torchvision's network halves an odd map and rounds up; its
        # cells are then nearer to each other than the stride.
        rows, columns = (math.ceil(side / stride) for side in (height, width))
        y = (np.arange(rows) + geometry.inset) * (height // rows)
        x = (np.arange(columns) + geometry.inset) * (width // columns)
        half = np.array(shapes) / 2
        cy, cx, w = (g.ravel() for g in np.meshgrid(y, x, half[:, 0], indexing="ij"))
        h = np.tile(half[:, 1], rows * columns)
        levels.append(np.stack([cx - w, cy - h, cx + w, cy + h], 1))
    boxes = np.concatenate(levels).astype(np.float32)
    boxes.setflags(write=False)
    return boxes


def _squares(stride: int) -> tuple[tuple[float, float], ...]:
    sides = [stride * 2.0 * 2 ** (third / 3) for third in range(4)]
    return tuple((side, side) for side in sides)


def _of_torchvision(base: int) -> tuple[tuple[float, float], ...]:
    """Three sizes of three shapes, each corner rounded to a pixel."""
    sides = [base, int(base * 2 ** (1 / 3)), int(base * 2 ** (2 / 3))]
    return tuple(
        (2.0 * round(side / math.sqrt(ratio) / 2), 2.0 * round(side * ratio**0.5 / 2))
        for ratio in (0.5, 1.0, 2.0)
        for side in sides
    )


#: Of `icf.models.networks.detector`: four squares a cell, since faces are nearly
#: square; offsets are divided as in Fast R-CNN (Girshick 2015, arXiv:1504.08083).
SMALL = Geometry(
    strides=(8, 16, 32, 64),
    shapes=tuple(_squares(stride) for stride in (8, 16, 32, 64)),
    inset=0.5,
    std=(0.1, 0.1, 0.2, 0.2),
    max_growth=3.0,
)
#: Of torchvision's RetinaNet (`_default_anchorgen`, `BoxCoder`).
TORCHVISION = Geometry(
    strides=(8, 16, 32, 64, 128),
    shapes=tuple(_of_torchvision(base) for base in (32, 64, 128, 256, 512)),
    inset=0.0,
    std=(1.0, 1.0, 1.0, 1.0),
    max_growth=math.log(1000 / 16),
)
