"""Views of a picture for a network whose input sides are multiples of 64.

A view is a part of the picture, resized and padded. A portrait has two views, a large
one and an overview, since a face that fills the large view is larger than any that the
network was trained on. A page of small faces has a view of all of it and tiles; a face
that a tile's edge cuts is found in the view that shows it whole.
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

#: The network halves its input six times.
MULTIPLE = 64
#: Small pictures are enlarged by at most this factor: more adds no detail.
MAX_ENLARGEMENT = 2.0
#: Colour of the padding: ImageNet's mean, which is zero after normalisation.
PADDING = (124, 116, 104)
#: Pictures longer than this many times the network's side also get tiles.
TILED_FROM = 2.0
#: Overlap of neighbouring tiles as a share: faces up to this size are whole in one.
OVERLAP = 0.25
#: Tiles of a picture at most, so that a poster takes seconds, not minutes: of a square
#: one four by four, of a long strip all in one row.
MAX_TILES = 16
#: Where there is an overview: the largest face, in pixels as shown, that the large view
#: may find, and the smallest that the overview may. The network was trained on faces up
#: to 300 pixels; small boxes in an overview are more often false.
MAX_FACE, MIN_FACE = 280.0, 48.0
#: A face counts as cut within this many pixels, as shown, of an edge that cuts.
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
        min_face: longer side, as shown, of the smallest face that it may find.
        max_face: longer side, as shown, of the largest face that it may find.
    """

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int
    min_face: float = 0.0
    max_face: float = math.inf

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels as shown per pixel of the picture, horizontally and vertically."""
        across = self.width / (self.right - self.left)
        return across, self.height / (self.bottom - self.top)


def whole(height: int, width: int, side: int) -> View:
    """Show all of a picture, its longer side resized to ``side`` pixels.

    >>> whole(1000, 500, 640).width
    320
    >>> whole(100, 200, 640).width
    400
    """
    return _shown(0, 0, width, height, side)


def whole_and_overview(height: int, width: int, side: int, overview: int) -> list[View]:
    """Show all of a picture, and, if it is large, again smaller.

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
        dataclasses.replace(large, max_face=MAX_FACE),
        dataclasses.replace(small, min_face=MIN_FACE),
    ]


def tiles(height: int, width: int, side: int) -> list[View]:
    """Cut a large picture into overlapping parts; none for one that is not large.

    A part is ``TILED_FROM`` times ``side`` long, or longer where that would make more
    than `MAX_TILES`.

    >>> [len(tiles(height, 800, 400)) for height in (800, 900, 4000, 16000)]
    [0, 2, 7, 16]
    """
    if max(height, width) <= TILED_FROM * side:
        return []
    span = _span(height, width, math.ceil(TILED_FROM * side))
    return [
        _shown(left, top, min(left + span, width), min(top + span, height), side)
        for top in _starts(height, span)
        for left in _starts(width, span)
    ]


def _span(height: int, width: int, least: int) -> int:
    """The length of the parts: ``least``, or the shortest that makes few enough."""
    span, longest = least, max(height, width)
    for along in range(MAX_TILES, 0, -1):
        if len(_starts(height, span)) * len(_starts(width, span)) <= MAX_TILES:
            break
        span = max(least, math.ceil(longest / (1 + (along - 1) * (1 - OVERLAP))))
    return span


def _starts(length: int, span: int) -> list[int]:
    """Starts of evenly spread parts of ``span`` that cover ``length``."""
    if length <= span:
        return [0]
    count = math.ceil((length - span) / (span * (1 - OVERLAP))) + 1
    return [round(i * (length - span) / (count - 1)) for i in range(count)]


def _shown(left: int, top: int, right: int, bottom: int, side: int) -> View:
    width, height = right - left, bottom - top
    scale = min(side / max(width, height), MAX_ENLARGEMENT)
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    return View(left, top, right, bottom, *shown)


def render(
    picture: Pixels, view: View, padding: tuple[int, int, int] = PADDING
) -> Pixels:
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
    canvas[:] = padding
    canvas[: view.height, : view.width] = part
    return canvas


def placed(boxes: Boxes, view: View, height: int, width: int) -> Boxes:
    """Convert boxes from pixels as shown to pixels of the picture, clipped to it.

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


def in_size_range(boxes: Boxes, view: View) -> NDArray[np.bool_]:
    """Return which boxes have a size that the view may find.

    Args:
        boxes: shape (n, 4), in pixels as shown.
        view: what was shown.

    Returns:
        Shape (n,).
    """
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    good = (longer >= view.min_face) & (longer <= view.max_face)
    return np.asarray(good, np.bool_)


def is_whole(boxes: Boxes, view: View, height: int, width: int) -> NDArray[np.bool_]:
    """Return which boxes are faces that the view shows whole.

    A box that reaches an edge at which the view cuts the picture is a part of a face;
    one in the padding is false.

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
