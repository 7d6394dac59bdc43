"""What a person says of a picture: boxes of all drawn faces, or "cannot tell"."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.annotate.tasks.base import RefusedAnswer

FloatArray = NDArray[np.float64]

BOXED = "boxed"
CANNOT_TELL = "cannot_tell"

#: Pixels of the shorter side of a box.
LEAST_SIDE = 2.0
#: Boxes in one picture.
MOST_BOXES = 500
#: Pixels by which a box may leave the picture, because a page rounds: it is cut there.
_SLACK = 1.0


@dataclass(frozen=True, eq=False)
class Opinion:
    """What a person says of one picture.

    Attributes:
        boxes: shape (n, 4), x1, y1, x2, y2 in pixels of the upright picture, of all its
            drawn faces; None: the person cannot tell.
    """

    boxes: FloatArray | None

    @property
    def verdict(self) -> str:
        """As the catalogue has it."""
        return CANNOT_TELL if self.boxes is None else BOXED

    def boxes_json(self) -> str:
        """The boxes as the catalogue has them, to a hundredth of a pixel."""
        listed = [] if self.boxes is None else self.boxes.round(2).tolist()
        return json.dumps(listed, separators=(",", ":"))


def stored_opinion(verdict: str, boxes: str) -> Opinion:
    """Read an opinion from the columns of the catalogue.

    >>> stored_opinion("boxed", "[[0,0,10,20]]").boxes.tolist()
    [[0.0, 0.0, 10.0, 20.0]]
    """
    if verdict == CANNOT_TELL:
        return Opinion(None)
    return Opinion(as_boxes(json.loads(boxes)))


def as_boxes(corners: Sequence[Sequence[float]]) -> FloatArray:
    """Make an array of shape (n, 4), of none too."""
    return np.array(corners, np.float64).reshape(-1, 4)


def read_opinion(value: Mapping[str, Any], width: int, height: int) -> Opinion:
    """Check what the page, or a file, says of a picture.

    Args:
        value: ``{"verdict": "boxed" or "cannot_tell", "boxes": [[x1, y1, x2, y2]]}``.
        width: of the upright picture, in pixels.
        height: likewise.

    Raises:
        RefusedAnswer: it is nothing that can be stored, and why.

    >>> read_opinion({"verdict": "boxed", "boxes": [[1, 2, 30, 40]]}, 50, 50).verdict
    'boxed'
    """
    verdict = value.get("verdict")
    if verdict == CANNOT_TELL:
        return Opinion(None)
    if verdict != BOXED:
        raise RefusedAnswer(f"a verdict is {BOXED!r} or {CANNOT_TELL!r}")
    listed = value.get("boxes")
    if not isinstance(listed, list):
        raise RefusedAnswer("the boxes are missing; a picture without faces has []")
    if len(listed) > MOST_BOXES:
        raise RefusedAnswer(
            f"a picture has at most {MOST_BOXES} boxes; these are {len(listed)}"
        )
    boxes = [
        _corners(each, number, width, height) for number, each in enumerate(listed, 1)
    ]
    seen: dict[tuple[float, ...], int] = {}
    for number, each in enumerate(boxes, 1):
        if each in seen:
            raise RefusedAnswer(
                f"boxes {seen[each]} and {number} are the same; delete one of them"
            )
        seen[each] = number
    return Opinion(as_boxes(boxes))


def _corners(each: Any, number: int, width: int, height: int) -> tuple[float, ...]:
    if not isinstance(each, list) or len(each) != 4 or not all(map(is_finite, each)):
        raise RefusedAnswer(f"box {number} is not four numbers: x1, y1, x2, y2")
    limits = (width, height, width, height)
    for corner, limit in zip(each, limits, strict=True):
        if not -_SLACK <= corner <= limit + _SLACK:
            raise RefusedAnswer(
                f"box {number} is not inside the picture of {width} x {height} pixels"
            )
    x1, y1, x2, y2 = (
        round(min(max(float(corner), 0.0), float(limit)), 2)
        for corner, limit in zip(each, limits, strict=True)
    )
    if x2 - x1 < LEAST_SIDE or y2 - y1 < LEAST_SIDE:
        raise RefusedAnswer(
            f"box {number} is under {LEAST_SIDE:g} pixels wide or high; "
            "draw it again or delete it"
        )
    return x1, y1, x2, y2


def is_finite(value: Any) -> bool:
    """Whether something that JSON has is a number that can be calculated with.

    >>> is_finite(1.5), is_finite(True), is_finite(10**400), is_finite(float("nan"))
    (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
