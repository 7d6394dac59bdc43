"""The labels that the answers in the catalogue agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.votes import agreed_label
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label


@dataclass(frozen=True)
class Labelled:
    """A question, and what its answers say.

    Attributes:
        face_id, character_id, reference_face_id: what it is about.
        before: its label in the catalogue.
        agreed: the label that its answers agree on.
        agreeing: how many of them agree.
    """

    id: int
    face_id: int
    character_id: int
    reference_face_id: int
    before: Label
    agreed: Label
    agreeing: int

    @property
    def asks_about_reference(self) -> bool:
        """Whether it asks if the reference itself is right."""
        return self.face_id == self.reference_face_id

    def refuses(self, label: Label) -> bool:
        """Whether this label says that the reference is wrong."""
        is_other = self.asks_about_reference and label is Label.DIFFERENT
        return is_other or label is Label.WRONG_REFERENCE


def read_labelled(
    connection: sa.Connection, ids: Sequence[int], needed: int
) -> list[Labelled]:
    """Read questions and what their answers agree on.

    Args:
        connection: to the catalogue.
        ids: of the questions.
        needed: number of agreeing answers that settles a question.
    """
    counts: dict[int, Counter[Choice]] = {key: Counter() for key in ids}
    given = sa.select(answer.c.question_id, answer.c.choice).where(
        answer.c.replaced_at.is_(None)
    )
    for row in by_ids(connection, given, answer.c.question_id, ids):
        counts[row.question_id][Choice[row.choice.upper()]] += 1
    query = sa.select(
        question.c.id,
        question.c.face_id,
        question.c.character_id,
        question.c.reference_face_id,
        question.c.label,
    )
    found = []
    for row in by_ids(connection, query, question.c.id, ids):
        count = counts[row.id]
        if row.face_id == row.reference_face_id:
            # Of the reference itself "it is wrong" is "no".
            count[Choice.FALSE] += count.pop(Choice.WRONG_REFERENCE, 0)
        label = agreed_label(count, needed)
        agreeing = max(count.values(), default=0)
        found.append(
            Labelled(
                row.id,
                row.face_id,
                row.character_id,
                row.reference_face_id,
                Label[row.label.upper()],
                label,
                agreeing,
            )
        )
    return found
