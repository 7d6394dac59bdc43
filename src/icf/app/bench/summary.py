"""What the seeds of a method come to: means and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icf.app.bench.paper import Method, Row, Table
from icf.app.bench.plan import Plan
from icf.app.bench.scoring import Score, Scores
from icf.statistics import Interval, mean_of_clusters

#: The ranks of the paper's tables.
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Cell:
    """A row of a table, over the seeds that are done.

    Attributes:
        row: which.
        seeds: how many are done.
        percents: at rank 1, 5 and 10: the mean over the seeds and its 95% interval by
            Student's t, without bounds where there is one seed; empty where none is
            done.
        curve: the mean percent within rank 1, 2, ...
        steps: of each training; 0 where none is done.
        seconds: of all its trainings.
        scoring_seconds: of all its scorings.
    """

    row: Row
    seeds: int
    percents: tuple[Interval, ...]
    curve: tuple[float, ...]
    steps: int
    seconds: float
    scoring_seconds: float


def cells_of(table: Table, plan: Plan, scores: Scores) -> list[Cell]:
    """Return the rows of a table with what is known of them."""
    return [_cell(row, scores_of(row.method, plan, scores)) for row in table.rows]


def scores_of(method: Method, plan: Plan, scores: Scores) -> list[Score]:
    """Return the scores of a method's seeds that are done."""
    folders = [run.folder for run in plan.runs[method]]
    return [scores[folder] for folder in folders if folder in scores]


def over_seeds(values: Sequence[float]) -> Interval:
    """Return the mean, and its 95% interval by Student's t.

    >>> made = over_seeds([70.0, 72.0, 74.0])
    >>> round(made.value, 2), round(made.low, 2), round(made.high, 2)
    (72.0, 67.03, 76.97)
    """
    given = np.array(values, np.float64)
    return mean_of_clusters(given, np.ones(len(given)), np.arange(len(given)))


def shown(interval: Interval) -> str:
    """Return a percent with half the width of its interval.

    >>> shown(Interval(72.0, 70.5, 73.5)), shown(Interval(72.0, -math.inf, math.inf))
    ('72.00 ± 1.50', '72.00')
    """
    if not math.isfinite(interval.low):
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} ± {interval.high - interval.value:.2f}"


def _cell(row: Row, scores: Sequence[Score]) -> Cell:
    if not scores:
        return Cell(row, 0, (), (), 0, 0.0, 0.0)
    by_rank = zip(*((s.rank1, s.rank5, s.rank10) for s in scores), strict=True)
    curves = np.array([score.curve for score in scores])
    return Cell(
        row,
        len(scores),
        tuple(over_seeds(values) for values in by_rank),
        tuple(curves.mean(0).tolist()),
        scores[0].steps,
        sum(score.seconds for score in scores),
        sum(score.scoring_seconds for score in scores),
    )
