"""The true boxes of the detection set, and what the detector found in its pictures.

Truth is what people verified: they looked at all of a picture, also for faces that the
detector missed. Or it is what the detector proposed, in pictures all of whose faces
people confirmed as their character; then nobody looked for what it missed, and its own
average precision means nothing. A published set's boxes are as its makers drew them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.labels.confirmed import is_drawn, is_there
from icf.catalogue.labels.given_boxes import GIVEN_ALL, NAMES, is_settled
from icf.catalogue.labels.verified_boxes import verified_pictures
from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.dataset.boxes import BoxTable
from icf.dataset.selecting.columns import (
    BoolArray,
    Coded,
    Codes,
    IntArray,
    Kind,
    floats,
    ints,
    read_columns,
)


@dataclass(frozen=True, eq=False)
class TrueBoxes:
    """The true and the detected boxes of pictures.

    Attributes:
        boxes: the true ones, of pictures that are complete.
        complete: the ids of the pictures all of whose drawn faces have a true box.
        detected: what the detector found.
        detectors: the hashes of the models that found it.
    """

    boxes: BoxTable
    complete: IntArray
    detected: BoxTable
    detectors: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Verified:
    """What people verified.

    Attributes:
        image: the ids of the pictures, ascending; on some there is no drawn face.
        boxes: of the drawn faces.
    """

    image: IntArray
    boxes: BoxTable

    def only(self, allowed: BoolArray) -> Verified:
        """Return some of the pictures, marked in shape (n,)."""
        image = self.image[allowed]
        return Verified(image, self.boxes.take(np.isin(self.boxes.image, image)))


def read_verified(connection: sa.Connection) -> Verified:
    """Read the boxes of all pictures in which people verified them."""
    images: list[int] = []
    tables = [_NONE]
    for each in verified_pictures(connection):
        images.append(each.image_id)
        faces = [-1 if box.face_id is None else box.face_id for box in each.boxes]
        corners = np.array([box.corners for box in each.boxes], np.float64)
        image = np.full(len(faces), each.image_id)
        score = np.ones(len(faces))
        tables.append(BoxTable(image, ints(faces), corners.reshape(-1, 4), score))
    return Verified(ints(images), BoxTable.joined(tables))


def proposed(connection: sa.Connection, ids: IntArray, owned: IntArray) -> TrueBoxes:
    """Take the detector's boxes of drawn faces over its threshold, kept or dropped.

    A picture is complete if people confirmed, or the model accepted, each of them.

    Args:
        connection: to the catalogue.
        ids: of the pictures, ascending.
        owned: the confirmed faces.
    """
    boxes, detector = _faces(connection, ids, is_drawn())
    confirmed = np.isin(boxes.face, owned)
    settled = np.array(
        [
            [is_settled(name, confirmed=each) for each in (False, True)]
            for name in detector.texts
        ],
        np.bool_,
    ).reshape(-1, 2)[detector.number, confirmed.astype(np.int64)]
    # A confirmed face whose score is under a threshold that was raised has no box.
    below = face.c.reason == FaceReason.LOW_SCORE.value
    lost, _ = _faces(connection, ids, below)
    torn = [boxes.image[~settled], lost.image[np.isin(lost.face, owned)]]
    complete = np.setdiff1d(ids, np.concatenate(torn))
    return TrueBoxes(boxes, complete, boxes, detector.used())


def verified_by_people(
    connection: sa.Connection, ids: IntArray, verified: Verified, given: IntArray
) -> TrueBoxes:
    """Take the boxes that people verified, and those of published sets.

    Verified pictures without a drawn face are left out: the official files list faces.

    Args:
        connection: to the catalogue.
        ids: of the pictures, ascending.
        verified: those that people verified.
        given: the ids of those that came with boxes of all their faces, ascending.
    """
    # Whatever it found counts: also what people call no face, and unlikely ones.
    is_cartoon = face.c.kind == "cartoon"
    there = face.c.reason != FaceReason.TAKEN_DOWN.value
    found, detector = _faces(connection, ids, sa.and_(is_cartoon, there))
    makers, by = _faces(connection, given, sa.and_(is_cartoon, is_there()))
    # What people verified counts more, also that there is nothing.
    is_theirs = by.one_of({GIVEN_ALL}) & ~np.isin(makers.image, verified.image)
    boxes = BoxTable.joined([makers.take(is_theirs), verified.boxes])
    own = ~detector.one_of(NAMES)
    models = detector.take(own).used()
    return TrueBoxes(boxes, np.unique(boxes.image), found.take(own), models)


def _faces(
    connection: sa.Connection, ids: IntArray, where: sa.ColumnElement[bool]
) -> tuple[BoxTable, Coded]:
    """Read faces of some pictures, those of one picture by id; and their detectors."""
    codes = Codes()
    kinds: list[Kind] = [ints, ints, *[floats] * 5, codes]
    query = _QUERY.where(where).order_by(face.c.id)
    image, found, x1, y1, x2, y2, score, detector = read_columns(
        connection, query, face.c.image_id, ids, kinds
    )
    boxes = BoxTable(image, found, np.column_stack((x1, y1, x2, y2)), score)
    return boxes, codes.coded(detector)


_QUERY = sa.select(
    face.c.image_id,
    face.c.id,
    face.c.x1,
    face.c.y1,
    face.c.x2,
    face.c.y2,
    face.c.score,
    face.c.detector,
)
_NONE = BoxTable(ints([]), ints([]), floats([]).reshape(-1, 4), floats([]))
