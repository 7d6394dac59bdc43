"""The true boxes of a detection picture in one cell of ``contents.csv``.

Boxes are divided by ``;``. Each has its four corners as the catalogue has them, and,
where its face is in the recognition set of the same split with an identity, the name
of that face's row: ``10.25 8 60 71 rectest_0000004.jpg;80 9 99 31``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class TrueBox:
    """A box of a picture of the detection set.

    Attributes:
        corners: x1, y1, x2, y2 in the upright picture, as stored.
        face: the name of its face in the recognition set of the same split; empty: it
            is not there, or a distractor.
    """

    corners: Corners
    face: str = ""


def cell_of(boxes: Iterable[TrueBox]) -> str:
    """Write boxes as a cell; `boxes_in` reads the same again.

    >>> cell_of([TrueBox((1.5, 2.0, 30.0, 40.0)), TrueBox((0.0, 0.0, 9.0, 9.0), "a")])
    '1.5 2 30 40;0 0 9 9 a'
    """
    return ";".join(
        " ".join([*map(_shown, each.corners), *([each.face] if each.face else [])])
        for each in boxes
    )


def boxes_in(cell: str) -> tuple[TrueBox, ...]:
    """Read the boxes of a cell.

    Raises:
        ValueError: it has no such boxes.

    >>> boxes_in("1.5 2 30 40")
    (TrueBox(corners=(1.5, 2.0, 30.0, 40.0), face=''),)
    """
    return tuple(_box(each) for each in cell.split(";")) if cell else ()


def _shown(side: float) -> str:
    return repr(float(side)).removesuffix(".0")


def _box(text: str) -> TrueBox:
    x1, y1, x2, y2, *face = text.split(" ")
    return TrueBox((float(x1), float(y1), float(x2), float(y2)), "".join(face))
