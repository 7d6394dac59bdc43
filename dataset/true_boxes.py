"""The true boxes of the detection set, and what the detector found in its pictures.

Truth is what people verified: they looked at all of a picture, also for faces that the
detector missed. Or it is what the detector proposed, in pictures all of whose faces
people confirmed as their character; then nobody looked for what it missed, and its own
average precision means nothing. A published set's boxes are as its makers drew them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.labels.confirmed import is_drawn, is_there
from icf.catalogue.labels.given_boxes import GIVEN_ALL, NAMES, is_settled
from icf.catalogue.labels.verified_boxes import VerifiedBox
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.codes import FaceReason


@dataclass(frozen=True)
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


Boxes = Mapping[int, tuple[Box, ...]]


@dataclass(frozen=True, eq=False)
class TrueBoxes:
    """The true and the detected boxes of pictures, by image id.

    Attributes:
        boxes: the true ones, of pictures that are complete.
        complete: the pictures all of whose drawn faces have a true box.
        detected: what the detector found.
    """

    boxes: Boxes
    complete: Collection[int]
    detected: Boxes


def proposed(
    connection: sa.Connection, ids: Sequence[int], owners: Mapping[int, int]
) -> TrueBoxes:
    """Take the detector's boxes of drawn faces over its threshold, kept or dropped.

    A picture is complete if people confirmed, or the model accepted, each of them.

    Args:
        connection: to the catalogue.
        ids: of the pictures.
        owners: the confirmed faces, with their characters.
    """
    boxes: dict[int, tuple[Box, ...]] = dict.fromkeys(ids, ())
    complete = set(ids)
    for row in _faces(connection, ids, is_drawn()):
        boxes[row.image_id] += (_box(row),)
        if not is_settled(row.detector, confirmed=row.id in owners):
            complete.discard(row.image_id)
    # A confirmed face whose score is under a threshold that was raised has no box.
    for row in _faces(connection, ids, face.c.reason == FaceReason.LOW_SCORE.value):
        if row.id in owners:
            complete.discard(row.image_id)
    return TrueBoxes(boxes, complete, boxes)


def verified_by_people(
    connection: sa.Connection,
    ids: Sequence[int],
    verified: Mapping[int, Sequence[VerifiedBox]],
    given: Collection[int],
) -> TrueBoxes:
    """Take the boxes that people verified, and those of published sets.

    Verified pictures without a drawn face are left out: the official files list faces.

    Args:
        connection: to the catalogue.
        ids: of the pictures.
        verified: the boxes of those that people verified.
        given: those that came with boxes of all their faces.
    """
    people = {
        image_id: tuple(Box(each.face_id, each.corners, 1.0) for each in some)
        for image_id, some in verified.items()
    }
    makers: dict[int, tuple[Box, ...]] = defaultdict(tuple)
    detected: dict[int, tuple[Box, ...]] = defaultdict(tuple)
    # Whatever it found counts: also what people call no face, and unlikely ones.
    is_cartoon = sa.and_(
        face.c.kind == "cartoon", face.c.reason != FaceReason.TAKEN_DOWN.value
    )
    for row in _faces(connection, ids, is_cartoon):
        if row.detector not in NAMES:
            detected[row.image_id] += (_box(row),)
    for row in _faces(connection, sorted(given), is_there()):
        if row.detector == GIVEN_ALL and row.kind == "cartoon":
            makers[row.image_id] += (_box(row),)
    boxes = {key: some for key, some in {**makers, **people}.items() if some}
    return TrueBoxes(boxes, frozenset(boxes), detected)


def _faces(
    connection: sa.Connection, ids: Sequence[int], where: sa.ColumnElement[bool]
) -> Iterator[sa.Row[tuple[object, ...]]]:
    query = sa.select(
        face.c.image_id,
        face.c.id,
        face.c.x1,
        face.c.y1,
        face.c.x2,
        face.c.y2,
        face.c.score,
        face.c.detector,
        face.c.kind,
    )
    ordered = query.where(where).order_by(face.c.id)
    yield from by_ids(connection, ordered, face.c.image_id, ids)


def _box(row: sa.Row[tuple[object, ...]]) -> Box:
    return Box(row.id, (row.x1, row.y1, row.x2, row.y2), row.score)
