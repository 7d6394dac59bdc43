"""What people miss because the detector's boxes are before them, measured.

Where boxes are proposed, people may overlook what the detector overlooked. So they are
hidden in some pictures, drawn by a coin. The share of people's boxes that no proposal
is should be the same in both parts; by how much it is lower where proposals are shown,
so much of what the detector misses do they hide.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.schema import image
from icf.codes import BoxStatus, ImageReason


@dataclass(frozen=True)
class Missed:
    """Drawn faces that the detector missed, in some pictures that people verified.

    Attributes:
        faces: people's merged boxes.
        missed: those of them that are no box of the detector (IoU under 0.5).
    """

    faces: int
    missed: int


@dataclass(frozen=True)
class Hiding:
    """The two parts that are compared.

    Attributes:
        shown: pictures with proposals.
        hidden: pictures whose proposals nobody saw.
    """

    shown: Missed
    hidden: Missed

    @property
    def faces(self) -> int:
        """All merged boxes."""
        return self.shown.faces + self.hidden.faces


def read_hiding(connection: sa.Connection) -> Hiding:
    """Count the boxes of all verified pictures."""
    no_face = sa.case((verified_box.c.face_id.is_(None), 1), else_=0)
    query = (
        sa.select(box_task.c.hidden, sa.func.count(), sa.func.sum(no_face))
        .select_from(verified_box)
        .join(box_task, box_task.c.image_id == verified_box.c.image_id)
        .join(image, image.c.id == verified_box.c.image_id)
        .where(
            box_task.c.status == BoxStatus.VERIFIED.value,
            image.c.reason != ImageReason.TAKEN_DOWN.value,
        )
        .group_by(box_task.c.hidden)
    )
    found = {
        bool(hidden): Missed(int(faces), int(missed))
        for hidden, faces, missed in connection.execute(query)
    }
    nothing = Missed(0, 0)
    return Hiding(found.get(False, nothing), found.get(True, nothing))
