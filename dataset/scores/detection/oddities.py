"""What is odd about boxes that can be scored nevertheless, each with a count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.detection.truth import (
    BoolArray,
    Found,
    IntArray,
    Truth,
    order_of,
)
from icf.icartoonface.detection import DetectionBoxes

#: Pixels beyond the picture's edge that rounding explains.
_EDGE = 1.0


@dataclass(frozen=True)
class Oddities:
    """How many boxes are odd.

    Attributes:
        repeated_boxes: True boxes that equal an earlier one of their picture.
        repeated_detections: The same of detections.
        flat_boxes: True boxes without width or height, or with inverted corners.
        flat_detections: The same of detections.
        tiny_boxes: True boxes of at most a pixel in width and height.
        tiny_detections: The same of detections.
        boxes_outside: True boxes that reach out of their picture, where its size is
            known.
        detections_outside: The same of detections.
        unsorted_pictures: Pictures in which a surer detection comes after a less sure
            one.
        undetected_pictures: Pictures with a true box in which nothing was detected.
    """

    repeated_boxes: int
    repeated_detections: int
    flat_boxes: int
    flat_detections: int
    tiny_boxes: int
    tiny_detections: int
    boxes_outside: int
    detections_outside: int
    unsorted_pictures: int
    undetected_pictures: int = 0

    def messages(self) -> Iterator[str]:
        """What a reader of the figures must know."""
        for what, flat, tiny, outside in (
            ("true boxes", self.flat_boxes, self.tiny_boxes, self.boxes_outside),
            (
                "detections",
                self.flat_detections,
                self.tiny_detections,
                self.detections_outside,
            ),
        ):
            if flat:
                yield (
                    f"{flat:,} {what} have no width or no height, or inverted corners; "
                    "they count, but hardly anything overlaps them by half"
                )
            if tiny:
                yield (
                    f"{tiny:,} {what} are not larger than a pixel; corners must be in "
                    "pixels, not in shares of the picture"
                )
            if outside:
                yield (
                    f"{outside:,} {what} reach out of their pictures; they are scored "
                    "as they are"
                )
        if self.unsorted_pictures:
            yield (
                f"in {self.unsorted_pictures:,} pictures a surer detection comes after "
                "a less sure one; official matches in the file's order, as the "
                "published script does, so sort by score if that is not meant"
            )
        if self.undetected_pictures:
            yield (
                f"nothing was detected in {self.undetected_pictures:,} of the pictures "
                "with a face; all their faces count as missed, also where a file of "
                "detections ends early"
            )


def find_oddities(truth: Truth, found: Found) -> Oddities:
    """Count what is odd."""
    boxes, detections = truth.boxes, found.detections
    with_boxes = np.unique(boxes.picture[~truth.crowd])
    undetected = np.setdiff1d(with_boxes, found.picture)
    return Oddities(
        boxes.repeated,
        detections.repeated,
        int(np.count_nonzero(boxes.degenerate)),
        int(np.count_nonzero(detections.degenerate)),
        int(np.count_nonzero(_tiny(boxes))),
        int(np.count_nonzero(_tiny(detections))),
        int(np.count_nonzero(_outside(boxes, boxes.picture, truth.size))),
        int(np.count_nonzero(_outside(detections, found.picture, truth.size))),
        _unsorted(truth, found),
        len(undetected),
    )


def _tiny(boxes: DetectionBoxes) -> BoolArray:
    sides = boxes.corners[:, 2:] - boxes.corners[:, :2]
    return np.asarray(~boxes.degenerate & (sides <= 1).all(axis=1), np.bool_)


def _outside(boxes: DetectionBoxes, picture: IntArray, size: IntArray) -> BoolArray:
    own = size[picture]
    known = own.all(axis=1)
    beyond = (boxes.corners[:, 2:] > own + _EDGE).any(axis=1)
    before = (boxes.corners[:, :2] < -_EDGE).any(axis=1)
    return np.asarray(known & (beyond | before), np.bool_)


def _unsorted(truth: Truth, found: Found) -> int:
    order = order_of(found.picture, len(truth.boxes.pictures))
    picture, scores = found.picture[order], found.scores[order]
    rising = (picture[1:] == picture[:-1]) & (scores[1:] > scores[:-1])
    return len(np.unique(picture[1:][rising]))
