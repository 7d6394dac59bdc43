"""Labels that are certain enough to hold people against."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.pauses import counts
from icf.catalogue.schema import answer, calibration, character, face, question
from icf.codes import YES_OR_NO, Choice, Label, Verdict

#: People who must have said so, with nobody against them.
PEOPLE = 2
#: A calibrated model's probability of the label, at least.
SURE = 0.9


@dataclass(frozen=True)
class Certain:
    """A question about a face, whose label is certain.

    Attributes:
        face_id, character_id, reference_face_id: what it is about.
        same: whether the face is the character.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    same: bool


def certain_labels(connection: sa.Connection) -> list[Certain]:
    """Read the certain labels about faces that can be shown now, by question."""
    said = (
        sa.select(
            answer.c.question_id,
            sa.func.sum(sa.case((answer.c.choice == Choice.TRUE.value, 1), else_=0)),
            sa.func.sum(sa.case((answer.c.choice == Choice.FALSE.value, 1), else_=0)),
            sa.func.max(sa.case((answer.c.decides, 1), else_=0)),
        )
        .where(counts())
        .group_by(answer.c.question_id)
        .subquery()
    )
    _, yes, no, expert = said.c
    is_same = question.c.label == Label.SAME.value
    agreed = sa.case((is_same, yes), else_=no)
    against = sa.case((is_same, no), else_=yes)
    calibrated = face.c.embedder.in_(sa.select(calibration.c.model))
    is_choice = face.c.character_id == question.c.character_id
    doubtful = sa.case(
        (is_same, face.c.probability < SURE), else_=face.c.probability > 1 - SURE
    )
    query = (
        sa.select(
            question.c.face_id,
            question.c.character_id,
            question.c.reference_face_id,
            is_same.label("same"),
        )
        .join(said, said.c.question_id == question.c.id)
        .join(face, face.c.id == question.c.face_id)
        .join(character, character.c.id == question.c.character_id)
        .where(
            question.c.label.in_(YES_OR_NO),
            question.c.doubted_at.is_(None),
            question.c.face_id != question.c.reference_face_id,
            character.c.reference_face_id == question.c.reference_face_id,
            character.c.merged_into.is_(None),
            face.c.verdict == Verdict.KEPT.value,
            sa.or_(expert == 1, sa.and_(agreed >= PEOPLE, against == 0)),
            sa.not_(sa.and_(calibrated, is_choice, doubtful)),
        )
        .order_by(question.c.id)
    )
    return [
        Certain(row.face_id, row.character_id, row.reference_face_id, bool(row.same))
        for row in connection.execute(query)
    ]
