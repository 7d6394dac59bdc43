"""How a model's similarity becomes a probability, as answers taught it.

A curve belongs to one model; the newest in the table counts. Where there is none, the
model's card says how it was calibrated when it was trained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

# The catalogue's modules are imported where they are used: worker processes have
# curves, and start in half the time without them.
if TYPE_CHECKING:
    import sqlalchemy as sa

#: Log odds beyond which a probability is as good as certain.
_CERTAIN = 60.0


@dataclass(frozen=True)
class Curve:
    """A logistic curve over the cosine of two faces (Platt 1999).

    Attributes:
        slope: log odds of being the same for each unit of cosine; never negative.
        intercept: log odds at a cosine of 0.
    """

    slope: float
    intercept: float

    def log_odds(self, cosines: NDArray[Any] | float) -> NDArray[np.float64]:
        """Log odds of being the same character, of the shape of ``cosines``."""
        line = self.slope * np.asarray(cosines, np.float64) + self.intercept
        return np.clip(line, -_CERTAIN, _CERTAIN)

    def probability(self, cosines: NDArray[Any] | float) -> NDArray[np.float64]:
        """Probability of being the same character, of the shape of ``cosines``."""
        return 1 / (1 + np.exp(-self.log_odds(cosines)))

    @property
    def even(self) -> float:
        """The cosine at which the same and another character are equally likely."""
        return -self.intercept / self.slope if self.slope else float("inf")


def newest(connection: sa.Connection, models: Iterable[str]) -> dict[str, Curve]:
    """The curve that answers taught each of these models, where there is one."""
    import sqlalchemy as sa

    from icf.catalogue.schema import calibration

    last = (
        sa.select(sa.func.max(calibration.c.id))
        .where(calibration.c.model.in_(sorted(set(models))))
        .group_by(calibration.c.model)
    )
    query = sa.select(calibration.c.model, calibration.c.parameters)
    return {
        row.model: _curve(json.loads(row.parameters))
        for row in connection.execute(query.where(calibration.c.id.in_(last)))
    }


def curves(connection: sa.Connection, models: Iterable[str]) -> dict[str, Curve]:
    """The curve of each of these models: the newest fitted one, else its card's."""
    import sqlalchemy as sa

    from icf.catalogue.schema import model

    models = set(models)
    query = sa.select(model.c.sha256, model.c.card)
    cards = connection.execute(query.where(model.c.sha256.in_(sorted(models))))
    found = {}
    for sha256, card in cards:
        parameters = json.loads(card).get("parameters", {})
        if {"slope", "intercept"} <= parameters.keys():
            found[sha256] = _curve(parameters)
    return found | newest(connection, models)


def add(
    connection: sa.Connection,
    run_id: int,
    model: str,
    curve: Curve,
    *,
    answered: int,
    error: float,
    figures: Mapping[str, object],
) -> None:
    """Let a curve count from now on.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        model: the SHA-256 of the model.
        curve: the curve.
        answered: how many answered questions it was fitted on.
        error: its expected calibration error on answers that it was not fitted on.
        figures: what else was measured, to be shown later.
    """
    import sqlalchemy as sa

    from icf.catalogue.schema import calibration

    parameters = {**vars(curve), **figures}
    connection.execute(
        sa.insert(calibration).values(
            model=model,
            parameters=json.dumps(parameters),
            answered=answered,
            error=error,
            run_id=run_id,
            fitted_at=time.time(),
        )
    )


def _curve(parameters: Mapping[str, Any]) -> Curve:
    return Curve(float(parameters["slope"]), float(parameters["intercept"]))
