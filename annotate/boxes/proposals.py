"""The detector's boxes of drawn faces: what people are shown first, or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.boxes.opinion import FloatArray, as_boxes
from icf.catalogue.labels.confirmed import is_drawn, is_there
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face


@dataclass(frozen=True, eq=False)
class Proposals:
    """The detector's boxes of one picture.

    Attributes:
        faces: their ids, n of them.
        boxes: shape (n, 4), x1, y1, x2, y2 in pixels of the upright picture.
    """

    faces: tuple[int, ...]
    boxes: FloatArray


NONE = Proposals((), as_boxes([]))


def read_proposals(
    connection: sa.Connection, images: Sequence[int]
) -> Mapping[int, Proposals]:
    """Read the drawn faces that the detector is sure of, by picture.

    Those that people say are no faces are left out, and pictures without any.
    """
    query = (
        sa.select(
            face.c.id, face.c.image_id, face.c.x1, face.c.y1, face.c.x2, face.c.y2
        )
        .where(is_drawn(), is_there())
        .order_by(face.c.id)
    )
    found: dict[int, list[sa.Row[tuple[int]]]] = defaultdict(list)
    for row in by_ids(connection, query, face.c.image_id, images):
        found[row.image_id].append(row)
    return {
        key: Proposals(
            tuple(row.id for row in rows),
            as_boxes([(row.x1, row.y1, row.x2, row.y2) for row in rows]),
        )
        for key, rows in found.items()
    }
