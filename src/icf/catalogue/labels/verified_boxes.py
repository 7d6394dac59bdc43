"""Pictures of which people verified the boxes of all drawn faces: detection truth.

A picture is true where its row of `icf.catalogue.annotation.schema.box_task` is
verified. It may have no box at all: then people agree that no drawn face is on it, and
whatever the detector found there is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.rows import CHUNK
from icf.catalogue.schema import image
from icf.codes import BoxStatus, ImageReason


@dataclass(frozen=True)
class VerifiedBox:
    """A drawn face, as people's boxes merge.

    Attributes:
        id: in the table of verified boxes.
        corners: x1, y1, x2, y2 in pixels of the upright picture; x2 and y2 exclusive.
        face_id: the detected face that it is; None: the detector missed it.
        people: how many people drew it.
        disagreement: one less the mean IoU of their boxes with it, from 0 to 1.
    """

    id: int
    corners: tuple[float, float, float, float]
    face_id: int | None
    people: int
    disagreement: float


@dataclass(frozen=True)
class VerifiedPicture:
    """A picture whose drawn faces are all known.

    Attributes:
        image_id: the picture.
        boxes: of its drawn faces, by id; empty: it shows none.
        people: how many people agree.
        disagreement: one less the mean IoU of their boxes with the merged ones, from 0
            to 1.
    """

    image_id: int
    boxes: tuple[VerifiedBox, ...]
    people: int
    disagreement: float


def verified_pictures(connection: sa.Connection) -> Iterator[VerifiedPicture]:
    """Yield the verified pictures by id, a page at a time, but those taken down."""
    query = (
        sa.select(box_task.c.image_id, box_task.c.people, box_task.c.disagreement)
        .join(image, image.c.id == box_task.c.image_id)
        .where(
            box_task.c.status == BoxStatus.VERIFIED.value,
            image.c.reason != ImageReason.TAKEN_DOWN.value,
        )
        .order_by(box_task.c.image_id)
        .limit(CHUNK)
    )
    last = -1
    while rows := connection.execute(query.where(box_task.c.image_id > last)).all():
        last = rows[-1].image_id
        boxes = _boxes(connection, [row.image_id for row in rows])
        for row in rows:
            yield VerifiedPicture(
                row.image_id,
                tuple(boxes.get(row.image_id, ())),
                row.people,
                row.disagreement or 0.0,
            )


def read_verified(connection: sa.Connection) -> dict[int, tuple[VerifiedBox, ...]]:
    """Read the boxes of all verified pictures, by image id."""
    return {each.image_id: each.boxes for each in verified_pictures(connection)}


def count_pictures(connection: sa.Connection) -> dict[BoxStatus, int]:
    """Count the pictures that people were asked about, by what they say of them."""
    query = sa.select(box_task.c.status, sa.func.count()).group_by(box_task.c.status)
    found = {status: number for status, number in connection.execute(query)}
    return {status: found.get(status.value, 0) for status in BoxStatus}


def _boxes(connection: sa.Connection, ids: list[int]) -> dict[int, list[VerifiedBox]]:
    query = (
        sa.select(verified_box)
        .where(verified_box.c.image_id.in_(ids))
        .order_by(verified_box.c.id)
    )
    found: dict[int, list[VerifiedBox]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.image_id].append(
            VerifiedBox(
                row.id,
                (row.x1, row.y1, row.x2, row.y2),
                row.face_id,
                row.people,
                row.disagreement,
            )
        )
    return found
