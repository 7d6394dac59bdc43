"""Reliability of the probabilities, compared with people's answers.

The catalogue has the probability of each question when it was asked, and how many faces
it represents (`icf.catalogue.sampling`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf import reliability
from icf.annotator_error import AnnotatorError, estimate
from icf.catalogue import sampling, schema
from icf.reliability import Bin


@dataclass(frozen=True)
class Calibration:
    """The newest calibration curve that was fitted on answers.

    Attributes:
        answered: number of questions it was fitted on.
        error: its calibration error on held-out answers, without chance.
        low, high: its 95% interval; None of a curve of an earlier version.
    """

    answered: int
    error: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Reliability:
    """The reliability of the probabilities of one embedder.

    Attributes:
        model: its SHA-256.
        answered: the number of settled questions.
        measured: probabilities when asked, compared with the answers.
        represented: how many faces the answers represent; 0 if it is not known, and the
            answers represent themselves.
        wrong: how often people err.
        calibration: the newest fitted curve; None if there is none.
    """

    model: str
    answered: int
    measured: reliability.Reliability
    represented: float
    wrong: AnnotatorError
    calibration: Calibration | None

    @property
    def bins(self) -> Sequence[Bin]:
        """Those that have answers, by ascending probability."""
        return self.measured.bins


def read_reliability(connection: sa.Connection) -> Reliability | None:
    """Read it for the model of the last settled question; None without one."""
    asked = sampling.read_asked(connection)
    weights = sampling.read_weights(connection, asked)
    known = asked.settled & ~np.isnan(asked.probability)
    if not known.any():
        return None
    model = str(asked.model[known][-1])
    known &= asked.model == model
    wrong = estimate(sampling.read_repeated(connection))
    some, weights = asked.take(known), weights[known]
    measured = reliability.reliability(
        some.probability,
        some.same,
        weights if weights.any() else None,
        sampling.label_errors(some.votes, wrong.rate),
    )
    return Reliability(
        model,
        int(known.sum()),
        measured,
        float(weights.sum()),
        wrong,
        _calibration(connection, model),
    )


def _calibration(connection: sa.Connection, model: str) -> Calibration | None:
    table = schema.calibration.c
    query = (
        sa.select(table.answered, table.error, table.parameters)
        .where(table.model == model)
        .order_by(table.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    figures = json.loads(row.parameters)
    return Calibration(row.answered, row.error, figures.get("low"), figures.get("high"))
