"""Measures that are computed from several columns of the catalogue."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

Measure = sa.ColumnElement[Any]


def smaller(one: Measure, other: Measure) -> Measure:
    """The smaller of two columns of one row; NULL where one is NULL."""
    return sa.case((one < other, one), (one >= other, other))


def larger(one: Measure, other: Measure) -> Measure:
    """The larger of two columns of one row; NULL where one is NULL."""
    return sa.case((one > other, one), (one <= other, other))
