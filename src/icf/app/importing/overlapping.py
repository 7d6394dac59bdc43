"""Given faces of one picture that are one face, named as several characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from icf.app.importing.rows import MeasuredFace
from icf.models.overlap import iou


def same_as(faces: Sequence[MeasuredFace], least: float) -> list[int]:
    """Say of each face of a picture which one it is: the first of those it overlaps.

    Only faces that are named as different characters are compared: a source that has
    two boxes of one character, or of nobody, means two faces.

    Args:
        faces: of one picture.
        least: the intersection over union from which on two are one.
    """
    first = list(range(len(faces)))
    for one, other in _named_apart(faces, least):
        kept, gone = sorted((first[one], first[other]))
        first = [kept if each == gone else each for each in first]
    return first


def _named_apart(
    faces: Sequence[MeasuredFace], least: float
) -> Iterator[tuple[int, int]]:
    owners = [each.given.owner for each in faces]
    if len({each for each in owners if each}) < 2:
        return
    boxes = np.array([each.new.box for each in faces], np.float32).reshape(-1, 4)
    for one, other in np.argwhere(np.triu(iou(boxes, boxes) >= least, 1)).tolist():
        if owners[one] and owners[other] and owners[one] != owners[other]:
            yield one, other
