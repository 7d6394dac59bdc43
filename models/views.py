"""Ways to show a picture to a network that wants sides of a multiple of 64.

A view is a part of the picture, brought to a size and padded. A portrait is shown
twice, large and as an overview, since a face that fills the large view is larger than
any the network was trained on. A page of small faces is shown whole and in tiles; a
face that a tile's edge cuts is left to the view that has it whole.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]

#: The network halves a picture six times.
MULTIPLE = 64
#: A small picture is not enlarged further: that adds pixels and no detail.
MOST_ENLARGED = 2.0
#: Colour of the padding: ImageNet's mean, which the network sees as nothing.
PADDING = (124, 116, 104)
#: Pictures longer than this many times the network's side are shown in tiles too.
TILED_FROM = 2.0
#: Share of a tile that its neighbour shows again: faces up to this size are whole.
OVERLAP = 0.25
#: Tiles along the longer side at most, so that a poster takes seconds, not minutes.
MOST_TILES = 4
#: Where there is an overview: the longest face, in pixels as shown, that the large view
#: answers for, and the shortest that the overview does. The network was trained on
#: faces up to 300 pixels; small boxes of an overview are more often nothing.
MOST_FACE, LEAST_FACE = 280.0, 48.0
#: Pixels, as the network sees them, from a cut within which a face counts as cut.
_AT_EDGE = 2.0


@dataclass(frozen=True)
class View:
    """A part of a picture and the size at which it is shown.

    Attributes:
        left: of the part, in pixels of the picture.
        top: of the part.
        right: of the part, exclusive.
        bottom: of the part, exclusive.
        width: at which the part is shown, without padding.
        height: at which the part is shown, without padding.
        least_face: longer side of the smallest face it answers for, as shown.
        most_face: longer side of the largest face it answers for, as shown.
    """

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int
    least_face: float = 0.0
    most_face: float = math.inf

    @property
    def scale(self) -> tuple[float, float]:
        """Shown pixels for each of the picture's, across and down."""
        across = self.width / (self.right - self.left)
        return across, self.height / (self.bottom - self.top)


def whole(height: int, width: int, side: int) -> View:
    """Show all of a picture, its longer side brought to ``side`` pixels.

    >>> whole(1000, 500, 640).width
    320
    >>> whole(100, 200, 640).width
    400
    """
    return _shown(0, 0, width, height, side)


def whole_and_overview(height: int, width: int, side: int, overview: int) -> list[View]:
    """Show all of a picture, and again smaller where it is much larger than that.

    Args:
        height: of the picture.
        width: of the picture.
        side: as for `whole`.
        overview: the same for the second view; 0 for none.

    >>> [view.width for view in whole_and_overview(900, 900, 640, 256)]
    [640, 256]
    >>> [view.width for view in whole_and_overview(120, 120, 640, 256)]
    [240]
    """
    large, small = whole(height, width, side), whole(height, width, overview or side)
    if large.width <= small.width:
        return [large]
    return [
        dataclasses.replace(large, most_face=MOST_FACE),
        dataclasses.replace(small, least_face=LEAST_FACE),
    ]


def tiles(height: int, width: int, side: int) -> list[View]:
    """Cut a large picture into overlapping parts; none for one that is not large.

    A part is ``TILED_FROM`` times ``side`` long, or longer where that would make more
    than `MOST_TILES` along the picture's longer side.
    """
    longest = max(height, width)
    if longest <= TILED_FROM * side:
        return []
    steps = 1 + (MOST_TILES - 1) * (1 - OVERLAP)
    span = math.ceil(max(TILED_FROM * side, longest / steps))
    return [
        _shown(left, top, min(left + span, width), min(top + span, height), side)
        for top in _starts(height, span)
        for left in _starts(width, span)
    ]


def _starts(length: int, span: int) -> list[int]:
    """Where parts of ``span`` begin, evenly spread, so that they cover ``length``."""
    if length <= span:
        return [0]
    count = math.ceil((length - span) / (span * (1 - OVERLAP))) + 1
    return [round(i * (length - span) / (count - 1)) for i in range(count)]


def _shown(left: int, top: int, right: int, bottom: int, side: int) -> View:
    width, height = right - left, bottom - top
    scale = min(side / max(width, height), MOST_ENLARGED)
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    return View(left, top, right, bottom, *shown)


def render(picture: Pixels, view: View) -> Pixels:
    """Return what the network sees, padded right and below to multiples of 64."""
    part = picture[view.top : view.bottom, view.left : view.right]
    if part.shape[:2] != (view.height, view.width):
        shrinks = view.height * view.width < part.shape[0] * part.shape[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        part = np.asarray(
            cv2.resize(part, (view.width, view.height), interpolation=how), np.uint8
        )
    height, width = (-(-v // MULTIPLE) * MULTIPLE for v in (view.height, view.width))
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = PADDING
    canvas[: view.height, : view.width] = part
    return canvas


def placed(boxes: Boxes, view: View, height: int, width: int) -> Boxes:
    """Bring boxes from what the network saw to the picture, cut at its edges.

    Args:
        boxes: shape (n, 4), in pixels as shown.
        view: what was shown.
        height: of the picture.
        width: of the picture.

    Returns:
        Shape (n, 4), in pixels of the picture.
    """
    across, down = view.scale
    scale = np.array([across, down, across, down], np.float32)
    corner = np.array([view.left, view.top, view.left, view.top], np.float32)
    moved = boxes / scale + corner
    limits = np.array([width, height, width, height], np.float32)
    return np.asarray(np.clip(moved, 0, limits), np.float32)


def answers_for(boxes: Boxes, view: View) -> NDArray[np.bool_]:
    """Say which boxes are of a size that the view is there to find.

    Args:
        boxes: shape (n, 4), in pixels as shown.
        view: what was shown.

    Returns:
        Shape (n,).
    """
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    good = (longer >= view.least_face) & (longer <= view.most_face)
    return np.asarray(good, np.bool_)


def is_whole(boxes: Boxes, view: View, height: int, width: int) -> NDArray[np.bool_]:
    """Say which boxes are faces that the view shows whole.

    A box that reaches an edge at which the view cuts the picture is a part of a face;
    one that lies in the padding is nothing.

    Args:
        boxes: shape (n, 4), in pixels as shown.
        view: what was shown.
        height: of the picture.
        width: of the picture.

    Returns:
        Shape (n,).
    """
    x1, y1, x2, y2 = boxes.T
    good = (x2 > 0) & (y2 > 0) & (x1 < view.width) & (y1 < view.height)
    good &= (x2 > x1) & (y2 > y1)
    if view.left > 0:
        good &= x1 >= _AT_EDGE
    if view.top > 0:
        good &= y1 >= _AT_EDGE
    if view.right < width:
        good &= x2 <= view.width - _AT_EDGE
    if view.bottom < height:
        good &= y2 <= view.height - _AT_EDGE
    return np.asarray(good, np.bool_)
