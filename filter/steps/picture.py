"""Drop the faces of pictures that are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face, image
from icf.codes import FaceReason, Verdict
from icf.engine.step import Outcome, Subject
from icf.engine.threshold import ColumnStep, StoredRow


@dataclass(frozen=True)
class PictureKept(ColumnStep):
    """Keeps a face whose picture has passed every step for pictures.

    A face whose picture still waits for one goes on waiting: it is not selected.
    """

    name: ClassVar[str] = "picture"
    subject: ClassVar[Subject] = "face"

    def columns(self) -> tuple[sa.Column[object], ...]:
        """The verdict on the picture."""
        return (image.c.verdict,)

    def query(self) -> sa.Select[Any]:
        """Select the faces whose picture is kept or dropped."""
        decided = image.c.verdict != Verdict.PENDING.value
        return super().query().join(image, image.c.id == face.c.image_id).where(decided)

    def judge_row(self, row: StoredRow) -> Outcome:
        """Let the faces of kept pictures pass."""
        passed = row.values == (Verdict.KEPT.value,)
        reason = FaceReason.OK if passed else FaceReason.PICTURE_OUT
        return Outcome(row.id, passed, reason.value)
