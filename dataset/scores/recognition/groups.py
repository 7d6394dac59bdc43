"""Groups of a test's pictures: scores of each are shown beside the score of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from icf.icartoonface.recognition import IntArray

#: Pixels of a box's shorter side from which on a face is in the next group.
_SIDES = (64, 128, 256)
#: Names of directions of view, up to how many degrees of yaw either way each is.
_VIEWS = (
    ("front", 22.5),
    ("three-quarter", 67.5),
    ("profile", 112.5),
    ("from behind", 180.0),
)


@dataclass(frozen=True, eq=False)
class Grouping:
    """What pictures are grouped by.

    Attributes:
        names: Of the groups, in the order in which they are shown.
        codes: Shape (n,), the group of each picture; -1: it is in none.
    """

    names: tuple[str, ...]
    codes: IntArray

    def rows(self, pictures: IntArray) -> Iterator[tuple[str, IntArray]]:
        """Yield each group with the places of its pictures; empty ones are left out.

        Args:
            pictures: Shape (m,), of which pictures.
        """
        found = self.codes[pictures]
        order = np.argsort(found, kind="stable")
        starts = np.searchsorted(found[order], np.arange(len(self.names) + 1))
        for number, name in enumerate(self.names):
            if starts[number] < starts[number + 1]:
                yield name, order[starts[number] : starts[number + 1]]

    def of_templates(self, members: Sequence[IntArray]) -> Grouping:
        """Group templates: each is in the group that all its pictures are in."""
        firsts = [int(self.codes[each[0]]) for each in members]
        codes = [
            first if (self.codes[each] == first).all() else -1
            for first, each in zip(firsts, members, strict=True)
        ]
        return Grouping(self.names, np.array(codes, np.int64))


def grouping(values: Sequence[str | None], names: Sequence[str] = ()) -> Grouping:
    """Group by names.

    Args:
        values: The group of each picture; None or "": it is in none.
        names: The groups in order; those that are missing follow by name.
    """
    more = sorted({each for each in values if each} - set(names))
    ordered = (*names, *more)
    code = {name: number for number, name in enumerate(ordered)}
    codes = [code[each] if each else -1 for each in values]
    return Grouping(ordered, np.array(codes, np.int64))


def by_size(boxes: IntArray) -> Grouping:
    """Group faces by the shorter side of their boxes, in pixels.

    Args:
        boxes: Shape (n, 4): x1, y1, x2, y2. Faces without a box are in no group.

    Example:
        >>> found = by_size(np.array([[0, 0, 63, 99], [0, 0, 64, 99], [0, 0, 0, 0]]))
        >>> found.names[0], found.codes.tolist()
        ('under 64 px', [0, 1, -1])
    """
    side = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    names = (
        f"under {_SIDES[0]} px",
        *(f"{a} to {b - 1} px" for a, b in pairwise(_SIDES)),
        f"{_SIDES[-1]} px and more",
    )
    codes = np.where(side > 0, np.searchsorted(_SIDES, side, side="right"), -1)
    return Grouping(names, codes.astype(np.int64))


def by_view(yaws: Sequence[float | None]) -> Grouping:
    """Group faces by how far they are turned to either side, as the report does.

    Args:
        yaws: Degrees, -180 to 180; None: not known.

    Example:
        >>> by_view([-10.0, 90.0, None]).codes.tolist()
        [0, 2, -1]
    """
    names = [
        None if yaw is None else next(name for name, most in _VIEWS if abs(yaw) <= most)
        for yaw in yaws
    ]
    return grouping(names, [name for name, _ in _VIEWS])
