"""What detections are scored against, beyond the boxes of the official files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.icartoonface.detection import DetectionBoxes, Detections
from icf.names import normal_name

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_NAMED = 5
#: Pixels that no picture has a side of; areas of such boxes are still exact enough.
LARGEST = 1e7


@dataclass(frozen=True, eq=False)
class Truth:
    """The true boxes of a set.

    Attributes:
        boxes: The boxes; ``boxes.pictures`` is the whole set, those without a face too.
        sides: Shape (n, 2): width and height of each box in pixels, 0 where a corner
            pair is inverted.
        area: Shape (n,): by which ``coco`` sorts boxes into small, medium and large.
        crowd: Shape (n,): boxes of many faces. ``coco`` ignores what is found there;
            the other conventions do not know such boxes and leave them out.
        size: Shape (pictures, 2): width and height of each picture; 0: not known.
        kinds: What is known of the pictures: for each name, as "album", its value for
            each picture; empty where it is not known.
        others: Boxes of faces of other kinds, in the same pictures, which are not to be
            found; None: the truth has one kind.
    """

    boxes: DetectionBoxes
    sides: FloatArray
    area: FloatArray
    crowd: BoolArray
    size: IntArray
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: DetectionBoxes | None = None

    @classmethod
    def of(cls, boxes: DetectionBoxes) -> Truth:
        """Take the boxes of an official file; nothing else is known of them."""
        sides = sides_of(boxes)
        return cls(
            boxes,
            sides,
            np.prod(sides, axis=1),
            np.zeros(len(sides), np.bool_),
            np.zeros((len(boxes.pictures), 2), np.int64),
        )


@dataclass(frozen=True, eq=False)
class Found:
    """Detections, matched with the pictures of a truth.

    Attributes:
        detections: What a detector found, in the file's order.
        sides: Shape (n, 2): width and height of each box.
        picture: Shape (n,): the index of each one's picture in ``Truth.boxes``.
    """

    detections: Detections
    sides: FloatArray
    picture: IntArray

    @classmethod
    def of(
        cls, truth: Truth, detections: Detections, sides: FloatArray | None = None
    ) -> Found:
        """Find each detection's picture in the truth.

        Raises:
            BadInput: There is no true box, a detection is in a picture outside the
                set, a corner or a score is not finite, or a corner is where no
                picture reaches; the message names the line, where there is one.
        """
        _check(truth, detections)
        picture = _picture_in_truth(truth.boxes, detections)
        given = sides_of(detections) if sides is None else sides
        return cls(detections, given, picture)

    @property
    def scores(self) -> FloatArray:
        """Shape (n,): how sure the detector is of each."""
        return np.asarray(self.detections.scores, np.float64)

    @cached_property
    def by_score(self) -> IntArray:
        """Rows of the detections, the surest first; equal ones in the file's order."""
        return np.argsort(-self.scores, kind="stable")


def order_of(places: IntArray, count: int) -> IntArray:
    """Stable order of places below ``count``; NumPy sorts short integers by radix."""
    short = places.astype(np.uint16) if count <= 1 << 16 else places
    return np.argsort(short, kind="stable")


def sides_of(boxes: DetectionBoxes) -> FloatArray:
    """Width and height of each box, shape (n, 2); 0 where corners are inverted."""
    return np.maximum(boxes.corners[:, 2:] - boxes.corners[:, :2], 0.0)


def _check(truth: Truth, detections: Detections) -> None:
    if truth.crowd.all():
        where = f"{lines.path}: " if (lines := truth.boxes.lines) else ""
        raise BadInput(
            f"{where}no true box: average precision is not defined without one"
        )
    for what, boxes, values in (
        ("true box", truth.boxes, truth.boxes.corners),
        ("detection", detections, detections.corners),
        ("score of detection", detections, detections.scores[:, None]),
    ):
        odd = np.flatnonzero(~np.isfinite(values).all(axis=1))
        _refuse(odd, boxes, values, what, "finite numbers")
    for what, boxes in (("true box", truth.boxes), ("detection", detections)):
        beyond = np.flatnonzero((np.abs(boxes.corners) > LARGEST).any(axis=1))
        within = f"corners within {LARGEST:,.0f} pixels"
        _refuse(beyond, boxes, boxes.corners, what, within)


def _refuse(
    bad: IntArray, boxes: DetectionBoxes, values: FloatArray, what: str, expected: str
) -> None:
    """Raise BadInput for the first bad row, by its line if it was read from one."""
    if len(bad):
        row = int(bad[0])
        where = boxes.lines.name(row) if boxes.lines else f"{what} {row + 1}"
        raise BadInput(f"{where}: expected {expected}, found {values[row].tolist()}")


def _picture_in_truth(truth: DetectionBoxes, detections: Detections) -> IntArray:
    """Return each detection's index of its picture in the set."""
    index = {normal_name(name): i for i, name in enumerate(truth.pictures)}
    index |= {name: i for i, name in enumerate(truth.pictures)}
    places = np.array(
        [
            index.get(name, index.get(normal_name(name), -1))
            for name in detections.pictures
        ],
        np.int64,
    )
    used = np.unique(detections.picture)
    unknown = [detections.pictures[i] for i in used[places[used] < 0].tolist()]
    if unknown:
        first = int((places[detections.picture] < 0).argmax())
        where = f"{lines.name(first)}: " if (lines := detections.lines) else ""
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise BadInput(
            f"{where}detections in {len(unknown)} pictures outside the set of "
            f"{len(truth.pictures)}: {', '.join(unknown[:_NAMED])}{more}; score them "
            "against the set they were made on"
        )
    return places[detections.picture]
