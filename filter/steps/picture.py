"""A face is out with its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.codes import FaceReason, Verdict
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject


@dataclass(frozen=True)
class PicturedFace(Item):
    """A face, and whether its picture is in."""

    kept: bool


@dataclass(frozen=True)
class PictureKept(Step[PicturedFace]):
    """Keeps a face whose picture has passed every step for pictures.

    A face whose picture still waits for one goes on waiting: it is not selected.
    """

    name: ClassVar[str] = "picture"
    subject: ClassVar[Subject] = "face"
    stored: ClassVar[bool] = True

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[PicturedFace]:
        """Read what became of the pictures, where that is known."""
        query = (
            sa.select(face.c.id, image.c.verdict)
            .join(image, image.c.id == face.c.image_id)
            .where(image.c.verdict != Verdict.PENDING.value)
        )
        return [
            PicturedFace(row.id, row.verdict == Verdict.KEPT.value)
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[PicturedFace]) -> list[Outcome]:
        """Let the faces of pictures that are in pass."""
        return [_judge_one(item) for item in batch]


def _judge_one(item: PicturedFace) -> Outcome:
    reason = FaceReason.OK if item.kept else FaceReason.PICTURE_OUT
    return Outcome(item.id, item.kept, reason.value)
