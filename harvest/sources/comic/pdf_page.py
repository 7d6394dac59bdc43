"""Which pictures a PDF page draws, and whether it shows all of each.

A page may show less than its picture: its crop box, a clipping path or its edge cuts
it; a hidden layer does not show it at all (ISO 32000-1, 8.5.4, 8.11 and 14.11.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pikepdf

#: Most compressed bytes of the content stream of a page that is pictures alone.
_LONGEST_CONTENT = 4096
#: Share of a picture's side that may be cut off: boxes are rounded.
_CUT = 0.005
_PATH = frozenset({"m", "l", "c", "v", "y", "h"})
#: Operators that draw nothing, and change nothing about how a picture is shown.
_HARMLESS = frozenset(
    {"MP", "DP", "BMC", "EMC", "BX", "EX", "ri", "i", "w", "J", "j", "M", "d"}
    | {"g", "G", "rg", "RG", "k", "K", "cs", "CS", "sc", "SC", "scn", "SCN"}
)


Matrix = tuple[float, float, float, float, float, float]
#: Left, bottom, right, top.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """A picture on a page.

    Attributes:
        image: with its dictionary.
        scale: its pixels per point of the page.
        whole: all of it is visible, neither turned nor mirrored.
    """

    image: pikepdf.Stream
    scale: float
    whole: bool


@dataclass(frozen=True)
class _State:
    """The graphics state: the matrix to the page, and what is visible."""

    matrix: Matrix
    visible: Box
    #: Something other than a box cuts what is visible.
    is_odd: bool = False


@dataclass
class _Path:
    boxes: list[Box] = field(default_factory=list)
    is_odd: bool = False
    clips: bool = False


def pictures_of(page: pikepdf.Page) -> list[Placed] | None:
    """Return the pictures of a page in the order of drawing.

    None for a page that shows anything else, or is unusual: it has to be rendered.
    """
    try:
        if page.obj.get("/Annots") or _is_long(page.obj):
            return None
        return _drawn(page)
    except (pikepdf.PdfError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _drawn(page: pikepdf.Page) -> list[Placed] | None:
    resources = page.obj.get("/Resources") or page.resources
    names: Any = resources.get("/XObject", {})
    turned = int(page.obj.get("/Rotate", 0)) % 360 != 0
    sheet = _common(_as_box(page.mediabox), _as_box(page.cropbox))
    state = _State((1.0, 0.0, 0.0, 1.0, 0.0, 0.0), sheet, turned)
    stack: list[_State] = []
    path, placed = _Path(), list[Placed]()
    for instruction in pikepdf.parse_content_stream(page):
        word = str(instruction.operator)
        operands = cast(Sequence[Any], instruction.operands)
        if word == "q":
            stack.append(state)
        elif word == "Q":
            state = stack.pop() if stack else state
        elif word == "cm":
            state = replace(state, matrix=_times(operands, state.matrix))
        elif word == "re":
            path.boxes.append(_framed(state.matrix, operands))
            path.is_odd |= not _is_straight(state.matrix)
        elif word in _PATH:
            path.is_odd = True
        elif word in ("W", "W*"):
            path.clips = True
        elif word == "n":
            state, path = _clipped(state, path), _Path()
        elif word == "Do":
            image = names[str(operands[0])]
            if image.get("/Subtype") != "/Image":
                return None
            placed.append(_placed(image, state))
        elif word == "BDC":
            # A layer may be hidden.
            state = replace(state, is_odd=state.is_odd or operands[0] == "/OC")
        elif word not in _HARMLESS:
            return None
    return placed


def _placed(image: Any, state: _State) -> Placed:
    a, b, c, d, _, _ = state.matrix
    left, bottom, right, top = box = _framed(state.matrix, (0, 0, 1, 1))
    upright = a > 0 and d > 0 and abs(b) < 1e-6 and abs(c) < 1e-6
    seen = _common(box, state.visible)
    is_seen = seen[2] - seen[0] >= (1 - _CUT) * (right - left) and seen[3] - seen[
        1
    ] >= (1 - _CUT) * (top - bottom)
    across = int(image.Width) / max((a * a + b * b) ** 0.5, 1e-3)
    down = int(image.Height) / max((c * c + d * d) ** 0.5, 1e-3)
    whole = upright and is_seen and not state.is_odd and "/OC" not in image
    return Placed(image, max(across, down), whole)


def _clipped(state: _State, path: _Path) -> _State:
    """Return the state after a path that is not painted."""
    if not path.clips:
        return state
    if path.is_odd or len(path.boxes) != 1:
        return replace(state, is_odd=True)
    return replace(state, visible=_common(state.visible, path.boxes[0]))


def _is_long(page: pikepdf.Object) -> bool:
    """Return whether the content stream is too long for pictures alone."""
    contents: Any = page.get("/Contents", [])
    parts = contents if isinstance(contents, pikepdf.Array) else [contents]
    return sum(len(part.read_raw_bytes()) for part in parts) > _LONGEST_CONTENT


def _as_box(corners: Any) -> Box:
    x1, y1, x2, y2 = (float(one) for one in corners)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _common(one: Box, other: Box) -> Box:
    """Return what two boxes have in common; without an area if that is nothing."""
    left, bottom = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return left, bottom, max(left, right), max(bottom, top)


def _framed(matrix: Matrix, rectangle: Sequence[Any]) -> Box:
    """Return the box around a rectangle (x, y, width, height) on the page."""
    x, y, width, height = (float(one) for one in rectangle)
    a, b, c, d, e, f = matrix
    corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
    across = [a * u + c * v + e for u, v in corners]
    up = [b * u + d * v + f for u, v in corners]
    return min(across), min(up), max(across), max(up)


def _is_straight(matrix: Matrix) -> bool:
    """Return whether rectangles stay upright rectangles."""
    a, b, c, d, _, _ = matrix
    return abs(b) + abs(c) < 1e-6 or abs(a) + abs(d) < 1e-6


def _times(operands: Sequence[Any], right: Matrix) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands)
    g, h, i, j, k, m = right
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )
