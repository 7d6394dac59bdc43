"""The detector's anchors and box offsets in numpy, for running it without PyTorch.

`icf.models.networks.detector`, which trains it, has the same geometry in PyTorch; a
test checks that the two are equal.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

STRIDES = (8, 16, 32, 64)
#: Side of the anchors, as multiples of the stride.
SIZES = (2.0, 2.0 * 2 ** (1 / 3), 2.0 * 2 ** (2 / 3), 4.0)
#: Standard deviations of the box offsets, as in Fast R-CNN (Girshick 2015).
OFFSET_STD = (0.1, 0.1, 0.2, 0.2)
#: A box is at most e^3 times its anchor: an untrained head must not overflow.
MAX_GROWTH = 3.0


@functools.lru_cache(maxsize=64)
def anchors(height: int, width: int) -> Boxes:
    """Return the anchors of a picture, in the order of the network's output.

    Args:
        height: in pixels, a multiple of 64.
        width: in pixels, a multiple of 64.

    Returns:
        Shape (n, 4), float32: x1, y1, x2, y2 in pixels; read-only.
    """
    levels = []
    for stride in STRIDES:
        y = (np.arange(height // stride) + 0.5) * stride
        x = (np.arange(width // stride) + 0.5) * stride
        half = np.array(SIZES) * stride / 2
        cy, cx, r = (g.ravel() for g in np.meshgrid(y, x, half, indexing="ij"))
        levels.append(np.stack([cx - r, cy - r, cx + r, cy + r], 1))
    boxes = np.concatenate(levels).astype(np.float32)
    boxes.setflags(write=False)
    return boxes


def decode(offsets: Boxes, reference: Boxes) -> Boxes:
    """Apply offsets to anchors.

    Args:
        offsets: shape (n, 4), as the network gives them.
        reference: shape (n, 4), the anchors they belong to.

    Returns:
        Shape (n, 4): x1, y1, x2, y2 in pixels.
    """
    scaled = offsets * np.array(OFFSET_STD, np.float32)
    size = reference[:, 2:] - reference[:, :2]
    middle = (reference[:, :2] + reference[:, 2:]) / 2 + scaled[:, :2] * size
    half = size * np.exp(np.minimum(scaled[:, 2:], MAX_GROWTH)) / 2
    return np.concatenate([middle - half, middle + half], 1)
