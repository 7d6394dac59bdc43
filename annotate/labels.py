"""The labels that the answers in the catalogue agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.votes import agreed_label, label_of
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label


@dataclass(frozen=True)
class Labelled:
    """A question, and what its answers say.

    Attributes:
        face_id, character_id, reference_face_id: what it is about.
        before: its label in the catalogue.
        agreed: the label that its answers agree on, or that an expert gave it.
        agreeing: how many of them agree.
        by_expert: whether an expert settled it, whatever the others say.
    """

    id: int
    face_id: int
    character_id: int
    reference_face_id: int
    before: Label
    agreed: Label
    agreeing: int
    by_expert: bool = False

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

    What an expert answered to settle a question counts more than all other answers;
    of several experts the newest.

    Args:
        connection: to the catalogue.
        ids: of the questions.
        needed: number of agreeing answers that settles a question.
    """
    counts: dict[int, Counter[Choice]] = {key: Counter() for key in ids}
    experts: dict[int, tuple[float, int, Choice]] = {}
    given = sa.select(
        answer.c.id,
        answer.c.question_id,
        answer.c.choice,
        answer.c.decides,
        sa.func.coalesce(answer.c.answered_at, answer.c.imported_at).label("at"),
    ).where(answer.c.replaced_at.is_(None))
    for row in by_ids(connection, given, answer.c.question_id, ids):
        choice = Choice[row.choice.upper()]
        counts[row.question_id][choice] += 1
        if row.decides:
            said = (row.at, row.id, choice)
            experts[row.question_id] = max(experts.get(row.question_id, said), said)
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
        decided = experts[row.id][-1] if row.id in experts else None
        if row.face_id == row.reference_face_id:
            # Of the reference itself "it is wrong" is "no".
            count[Choice.FALSE] += count.pop(Choice.WRONG_REFERENCE, 0)
            if decided is Choice.WRONG_REFERENCE:
                decided = Choice.FALSE
        if decided is None:
            label = agreed_label(count, needed)
            agreeing = max(count.values(), default=0)
        else:
            label, agreeing = label_of(decided), count[decided]
        found.append(
            Labelled(
                row.id,
                row.face_id,
                row.character_id,
                row.reference_face_id,
                Label[row.label.upper()],
                label,
                agreeing,
                decided is not None,
            )
        )
    return found
