"""Boxes of drawn faces, as columns: a catalogue has hundreds of thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """A drawn face; corners in pixels of the upright picture.

    Attributes:
        face_id: the detected face; None: the detector did not find it.
        corners: x1, y1, x2, y2.
        score: the detector's, from 0 to 1; 1 of a box that people drew.
    """

    face_id: int | None
    corners: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True, eq=False)
class BoxTable:
    """Boxes of any pictures, k rows each.

    Attributes:
        image: the id of the picture of each.
        face: the detected face; -1: the detector did not find it.
        corners: shape (k, 4), as in `Box`.
        score: as in `Box`.
    """

    image: IntArray
    face: IntArray
    corners: FloatArray
    score: FloatArray

    def __len__(self) -> int:
        """The number of boxes."""
        return len(self.image)

    def take(self, rows: IntArray | npt.NDArray[np.bool_]) -> BoxTable:
        """Return some of the rows."""
        return BoxTable(
            self.image[rows], self.face[rows], self.corners[rows], self.score[rows]
        )

    def of(self, images: IntArray) -> PictureBoxes:
        """Return the boxes of each of some pictures, in the order of the rows."""
        ordered = self.take(np.argsort(self.image, kind="stable"))
        begin = np.searchsorted(ordered.image, images, "left")
        end = np.searchsorted(ordered.image, images, "right")
        return PictureBoxes(ordered, begin, end)

    @classmethod
    def joined(cls, tables: Sequence[BoxTable]) -> BoxTable:
        """Put tables under one another."""
        return cls(
            np.concatenate([each.image for each in tables]),
            np.concatenate([each.face for each in tables]),
            np.concatenate([each.corners for each in tables]),
            np.concatenate([each.score for each in tables]),
        )


class PictureBoxes(Sequence[tuple[Box, ...]]):
    """The boxes of each picture; objects are made of those that are asked for.

    Args:
        boxes: of all pictures, those of one picture one after the other.
        begin: shape (m,), the first row of each picture.
        end: shape (m,), the row behind its last one.

    Example:
        >>> table = BoxTable(np.array([7]), np.array([-1]), np.ones((1, 4)), np.ones(1))
        >>> list(table.of(np.array([6, 7])))
        [(), (Box(face_id=None, corners=(1.0, 1.0, 1.0, 1.0), score=1.0),)]
    """

    def __init__(self, boxes: BoxTable, begin: IntArray, end: IntArray) -> None:
        self._boxes, self._begin, self._end = boxes, begin, end

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self._begin)

    @overload
    def __getitem__(self, place: int) -> tuple[Box, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> PictureBoxes: ...
    def __getitem__(self, place: int | slice) -> tuple[Box, ...] | PictureBoxes:
        """Return the boxes of a picture, or those of several."""
        if isinstance(place, slice):
            return PictureBoxes(self._boxes, self._begin[place], self._end[place])
        rows = range(self._begin[place], self._end[place])
        return tuple(map(self._box, rows)) if rows else ()

    def _box(self, row: int) -> Box:
        face = int(self._boxes.face[row])
        x1, y1, x2, y2 = self._boxes.corners[row].tolist()
        score = float(self._boxes.score[row])
        return Box(face if face >= 0 else None, (x1, y1, x2, y2), score)
