"""How often a person is right where the answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.schema import gold, gold_answer, person
from icf.codes import Choice

#: Answers that a share is computed from: at least, and at most the last so many.
LEAST = 20
MOST = 40


@dataclass(frozen=True)
class Score:
    """A person's answers to known questions; which of them were wrong, nobody is told.

    Attributes:
        answered: how many of the last `MOST` answers count.
        right: how many of those were right.
        share: of right ones; None where there are fewer than `LEAST`.
    """

    answered: int
    right: int

    @property
    def share(self) -> float | None:
        """Share of right answers, from 0 to 1.

        >>> Score(19, 19).share, Score(20, 15).share
        (None, 0.75)
        """
        return self.right / self.answered if self.answered >= LEAST else None


def score_of(connection: sa.Connection, name: str) -> Score:
    """Score a person's last answers to known questions.

    "Cannot tell" is neither right nor wrong. What was found to be no known question
    after all does not count, nor what was answered before the person was allowed to go
    on after a pause.

    Args:
        connection: to the catalogue.
        name: as ``answer.annotator`` has it.
    """
    query = (
        sa.select(gold_answer.c.choice == gold.c.truth)
        .join(gold, gold.c.id == gold_answer.c.gold_id)
        .outerjoin(person, person.c.name == gold_answer.c.annotator)
        .where(
            gold_answer.c.annotator == name,
            gold_answer.c.answered_at > sa.func.coalesce(person.c.scored_from, 0.0),
            gold_answer.c.replaced_at.is_(None),
            gold_answer.c.choice != Choice.UNSURE.value,
            gold.c.retired_at.is_(None),
        )
        .order_by(gold_answer.c.answered_at.desc(), gold_answer.c.id.desc())
        .limit(MOST)
    )
    found = list(connection.execute(query).scalars())
    return Score(len(found), sum(map(bool, found)))
