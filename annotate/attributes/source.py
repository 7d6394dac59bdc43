"""Faces to describe, as something that people are shown."""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.attributes.describe import read_description
from icf.annotate.tasks.answers import insert_answer, is_known
from icf.annotate.tasks.base import Given, Lease, RefusedAnswer, Shown
from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.schema import face

FACE, CONTEXT = "face", "context"
#: Maximum sides in pixels: of a face, and of a whole picture.
FACE_SIDE, CONTEXT_SIDE = 640, 1600


class AttributeSource:
    """Stores what people say of faces; ids are those of faces."""

    name: ClassVar[str] = "attributes"

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store a description."""
        described = read_description(given.value)
        query = sa.select(face.c.id).where(
            face.c.id == given.lease.subject_id, is_there()
        )
        is_gone = connection.execute(query).first() is None
        if is_gone and not is_known(connection, attribute_answer.c.face_id, given):
            raise RefusedAnswer("this face was taken down, or it turned out to be none")
        insert_answer(
            connection,
            attribute_answer,
            attribute_answer.c.face_id,
            given,
            gender=described.gender.value if described.gender else None,
            yaw=described.yaw,
            pitch=described.pitch,
            roll=described.roll,
            occlusion=described.occlusion.value if described.occlusion else None,
        )

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means.

        Raises:
            KeyError: there is no such picture.
        """
        query = sa.select(face.c.image_id, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        row = connection.execute(query.where(face.c.id == lease.subject_id)).first()
        if row is None or name not in (FACE, CONTEXT):
            raise KeyError(name)
        if name == FACE:
            return Shown(face_id=lease.subject_id, side=FACE_SIDE)
        box = (row.x1, row.y1, row.x2, row.y2)
        return Shown(image_id=row.image_id, boxes=(box,), side=CONTEXT_SIDE)
