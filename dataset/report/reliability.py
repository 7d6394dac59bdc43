"""Reliability of the probabilities, compared with people's answers.

The ledger has the probability of each question when it was exported. Uncertain faces
are asked about first, so this is not a random sample of all faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import schema
from icf.codes import Label
from icf.reliability import BINS, Bin, expected_error


@dataclass(frozen=True)
class Calibration:
    """The newest calibration curve that was fitted on answers.

    Attributes:
        answered: number of questions it was fitted on.
        error: its calibration error on held-out answers.
    """

    answered: int
    error: float


@dataclass(frozen=True)
class Reliability:
    """The reliability of the probabilities of one embedder.

    Attributes:
        model: its SHA-256.
        bins: those that have answers, by ascending probability.
        calibration: the newest fitted curve; None if there is none.
    """

    model: str
    bins: Sequence[Bin]
    calibration: Calibration | None

    @property
    def answered(self) -> int:
        """The number of settled questions."""
        return sum(each.count for each in self.bins)

    @property
    def error(self) -> float:
        """Expected calibration error (Guo et al. 2017, equation 3)."""
        return expected_error(self.bins)


def read_reliability(connection: sa.Connection) -> Reliability | None:
    """Read it for the model of the last question; None without one."""
    decision, question = schema.decision.c, schema.question.c
    settled = question.label.in_([Label.SAME.value, Label.DIFFERENT.value])
    asked = (
        sa.select(decision.model, decision.value, question.label)
        .select_from(schema.decision)
        .join(schema.question, question.id == decision.subject_id)
        .where(
            decision.subject == "question",
            decision.step == "ask",
            # Questions about suspicions have no model, and no probability as value.
            decision.model.is_not(None),
            decision.value.is_not(None),
            settled,
        )
    )
    newest = asked.with_only_columns(decision.model).order_by(decision.id.desc())
    model = connection.execute(newest.limit(1)).scalar_one_or_none()
    if model is None:
        return None
    some = asked.where(decision.model == model).subquery()
    place = sa.case(
        *((some.c.value < (end + 1) / BINS, end) for end in range(BINS - 1)),
        else_=BINS - 1,
    ).label("place")
    same = sa.func.sum(sa.case((some.c.label == Label.SAME.value, 1), else_=0))
    query = (
        sa.select(place, sa.func.count(), sa.func.avg(some.c.value), same)
        .group_by(place)
        .order_by(place)
    )
    bins = [
        Bin(count, float(predicted), int(number) / count)
        for _, count, predicted, number in connection.execute(query)
    ]
    return Reliability(model, bins, _calibration(connection, model))


def _calibration(connection: sa.Connection, model: str) -> Calibration | None:
    table = schema.calibration.c
    query = (
        sa.select(table.answered, table.error)
        .where(table.model == model)
        .order_by(table.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return Calibration(row.answered, row.error) if row else None
