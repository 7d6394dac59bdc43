"""Drop photographed human faces; they stay in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.step import Outcome, Subject
from icf.engine.threshold import ColumnStep, StoredRow


@dataclass(frozen=True)
class Kind(ColumnStep):
    """Keeps cartoon faces; the value of the decision is the detector's score."""

    name: ClassVar[str] = "kind"
    subject: ClassVar[Subject] = "face"

    def columns(self) -> tuple[sa.Column[object], ...]:
        """What the detector said."""
        return face.c.kind, face.c.score, face.c.detector

    def judge_row(self, row: StoredRow) -> Outcome:
        """Let cartoon faces pass."""
        kind, score, detector = row.values
        reason = FaceReason.HUMAN if kind == "human" else FaceReason.OK
        passed = reason is FaceReason.OK
        return Outcome(row.id, passed, reason.value, value=score, model=detector)
