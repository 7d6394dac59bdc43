"""Count questions, answers and labels."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.votes import ALWAYS_COUNTED
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import answer, batch, question
from icf.codes import Label


@dataclass(frozen=True)
class Counts:
    """Numbers of batches, answers and questions.

    Attributes:
        batches: exported batches.
        answers: imported answers that count.
        open: questions without a label.
        labels: questions by label.
        accepted: kept faces that nobody was asked about, and the model is sure of.
    """

    batches: int
    answers: int
    open: int
    labels: dict[str, int]
    accepted: int = 0

    @property
    def questions(self) -> int:
        """All questions."""
        return self.open + sum(self.labels.values())


def count(connection: sa.Connection, risk: float = 0.0) -> Counts:
    """Count the rows of the catalogue.

    Args:
        connection: to the catalogue.
        risk: the setting ``annotate.risk``.
    """
    query = sa.select(question.c.label, sa.func.count()).group_by(question.c.label)
    found = {label: number for label, number in connection.execute(query)}
    return Counts(
        batches=count_rows(connection, batch),
        answers=count_rows(connection, answer, counts()),
        open=found.get(Label.OPEN.value, 0),
        labels={
            label.value: found.get(label.value, 0)
            for label in Label
            if label is not Label.OPEN
            and (label in ALWAYS_COUNTED or label.value in found)
        },
        accepted=_accepted(connection, risk) if risk else 0,
    )


def _accepted(connection: sa.Connection, risk: float) -> int:
    # It imports numpy, which a mere count does not wait for.
    from icf.catalogue.labels.sure_faces import accepted

    return len(accepted(connection, risk))
