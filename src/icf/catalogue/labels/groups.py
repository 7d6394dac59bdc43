"""Groups of pictures that show the same drawing: copies, crops, frames of one shot.

Whoever divides pictures into two parts must not divide a group: what was learned on one
of its pictures is known of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from icf.catalogue.labels.confirmed import pages
from icf.catalogue.merges import connected_components
from icf.catalogue.schema import face, face_link, image


def picture_groups(connection: sa.Connection) -> Mapping[int, int]:
    """Map pictures to the smallest image id of their group; others are alone.

    Two pictures are in one group if one is a copy of the other, if faces of theirs are
    near-duplicates, or if a face was tracked from one to the other.
    """
    return connected_components(_pairs(connection))


def _pairs(connection: sa.Connection) -> Iterator[tuple[int, int]]:
    keeper, other = face.alias("keeper"), face.alias("other")
    copies = sa.select(image.c.id, image.c.keeper_id).where(
        image.c.keeper_id.is_not(None)
    )
    for row in pages(connection, copies, image.c.id):
        yield row.id, row.keeper_id
    near = (
        sa.select(face.c.id, face.c.image_id, keeper.c.image_id.label("kept"))
        .join(keeper, keeper.c.id == face.c.keeper_id)
        .where(face.c.keeper_id.is_not(None))
    )
    for row in pages(connection, near, face.c.id):
        yield row.image_id, row.kept
    tracked = (
        sa.select(face.c.image_id, other.c.image_id.label("tracked"))
        .select_from(face_link)
        .join(face, face.c.id == face_link.c.face_id)
        .join(other, other.c.id == face_link.c.other_id)
        .where(face_link.c.same)
    )
    for linked in connection.execute(tracked):
        yield linked.image_id, linked.tracked
