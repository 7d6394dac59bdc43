"""Bases of steps that read columns of the catalogue and need nothing else.

`ThresholdStep` compares stored measures with thresholds: a subclass says which
expression of the catalogue must be at least, or at most, which setting, and what the
reason is called otherwise. `ColumnStep` is for other rules over stored columns.

Both are ``stored``: after a setting changed, ``icf-filter rethreshold`` evaluates them
again without looking at a picture.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.engine.step import Item, Outcome, Step
from icf.engine.tables import TABLES


@dataclass(frozen=True)
class StoredRow(Item):
    """A row of the catalogue.

    Attributes:
        values: what the step selected, in its order, without the id.
    """

    values: tuple[Any, ...]


class ColumnStep(Step[StoredRow]):
    """Base of a step that judges each row by columns of the catalogue alone."""

    stored: ClassVar[bool] = True

    @abstractmethod
    def columns(self) -> Sequence[sa.ColumnElement[Any]]:
        """What `judge_row` needs, as expressions over the row's table."""

    @abstractmethod
    def judge_row(self, row: StoredRow) -> Outcome:
        """Judge one row; its ``values`` are those of `columns`."""

    def query(self) -> sa.Select[Any]:
        """Select the id and `columns`; a subclass may join or restrict the rows."""
        table = TABLES[self.subject]
        return sa.select(table.c.id, *self.columns()).select_from(table)

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[StoredRow]:
        """Read the columns."""
        rows = by_ids(connection, self.query(), TABLES[self.subject].c.id, ids)
        return [StoredRow(row[0], tuple(row[1:])) for row in rows]

    def judge(self, batch: Sequence[StoredRow]) -> list[Outcome]:
        """Judge each row by itself."""
        return [self.judge_row(row) for row in batch]


@dataclass(frozen=True)
class Threshold:
    """A measure, and the limit that it must keep.

    Attributes:
        measure: an expression over the subject's table.
        reason: the reason code of a row that does not keep the limit.
        at_least: the limit, where the measure must not be smaller.
        at_most: the limit, where the measure must not be larger; give one of the two.
        model: the column with the SHA-256 of the model that measured it.
        required: whether a row without the measure (NULL) is dropped, too.
    """

    measure: sa.ColumnElement[Any]
    reason: str
    at_least: float | None = None
    at_most: float | None = None
    model: sa.ColumnElement[Any] | None = None
    required: bool = False

    @property
    def limit(self) -> float | None:
        """The limit, from whichever side."""
        return self.at_most if self.at_least is None else self.at_least

    def holds(self, value: float | None) -> bool:
        """Whether a measured value keeps the limit."""
        if value is None:
            return not self.required
        if self.at_least is not None and value < self.at_least:
            return False
        return self.at_most is None or value <= self.at_most


class ThresholdStep(ColumnStep):
    """Base of a step that compares stored measures with thresholds.

    A row is dropped by the first threshold that it does not keep. The decision has the
    measure and the limit of that threshold; for a row that passes, of the last one that
    it has the measure for.
    """

    @abstractmethod
    def thresholds(self) -> Sequence[Threshold]:
        """The thresholds, in the order in which they are tried."""

    def columns(self) -> list[sa.ColumnElement[Any]]:
        """For each threshold the measure and its model."""
        return [
            column
            for each in self.thresholds()
            for column in (
                each.measure,
                sa.null() if each.model is None else each.model,
            )
        ]

    def judge(self, batch: Sequence[StoredRow]) -> list[Outcome]:
        """Try the thresholds on each row."""
        # Made once: expressions of the catalogue cost more than the comparison.
        thresholds = self.thresholds()
        return [_judged(row, thresholds) for row in batch]

    def judge_row(self, row: StoredRow) -> Outcome:
        """Try the thresholds one after the other."""
        return _judged(row, self.thresholds())


def _judged(row: StoredRow, thresholds: Sequence[Threshold]) -> Outcome:
    values, models = row.values[::2], row.values[1::2]
    outcome = Outcome(row.id, True)
    for each, value, model in zip(thresholds, values, models, strict=True):
        if not each.holds(value):
            reason = str(each.reason)
            return Outcome(row.id, False, reason, value, each.limit, model)
        if value is not None or outcome.value is None:
            outcome = Outcome(row.id, True, "ok", value, each.limit, model)
    return outcome
