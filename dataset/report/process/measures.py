"""Distributions of the measures of faces and pictures, on both sides of a threshold.

All measured faces and pictures are counted, also dropped ones. The database counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.report.counts import bin_of
from icf.settings import FilterSettings

#: The paper's least Laplacian variance (section 3.2), at the face's own size.
PAPER_SHARPNESS = 100.0

_FACE = schema.face.c
_SIDE = sa.case(
    (_FACE.x2 - _FACE.x1 < _FACE.y2 - _FACE.y1, _FACE.x2 - _FACE.x1),
    else_=_FACE.y2 - _FACE.y1,
)


@dataclass(frozen=True)
class Measure:
    """One measure over all rows that have it.

    Attributes:
        name: what is measured.
        note: its unit, and the setting of its threshold.
        step: width of the narrowest bar.
        counts: for each multiple of ``step``, the number of values from there on that
            pass and that fail the threshold.
        threshold: the value of the setting; None if there is none.
    """

    name: str
    note: str
    step: float
    counts: Mapping[int, tuple[int, int]]
    threshold: float | None

    @property
    def total(self) -> int:
        """The number of measured values."""
        return sum(good + bad for good, bad in self.counts.values())

    @property
    def beyond(self) -> int:
        """The number of values that fail the threshold."""
        return sum(bad for _, bad in self.counts.values())


def read_measures(connection: sa.Connection, wanted: FilterSettings) -> list[Measure]:
    """Count every measure that has values, in the order of the steps."""
    face, image = _FACE, schema.image.c
    least = [
        ("Detector score", "from 0 to 1", face.score, 0.05, "min_score"),
        ("Size", "shorter side of the face, pixels", _SIDE, 10.0, "min_face"),
        ("Brightness", "mean grey value", face.brightness, 8.0, "min_brightness"),
        ("Contrast", "deviation of colours", face.contrast, 4.0, "min_contrast"),
    ]
    measures = [
        _measure(
            connection,
            "Photograph",
            "probability, of pictures; filter.max_photo",
            (image.photo, 0.05),
            wanted.max_photo,
            image.photo > wanted.max_photo,
        )
    ]
    for name, unit, value, step, setting in least:
        cut = float(getattr(wanted, setting))
        note = f"{unit}; filter.{setting}"
        measures.append(
            _measure(connection, name, note, (value, step), cut, value < cut)
        )
    measures += _read_sharpness(connection, wanted)
    measures += [
        _measure(
            connection,
            "Sharpness as in the paper",
            "of the face at its own size; no threshold",
            (face.sharpness_paper, 50.0),
            None,
            sa.false(),
        ),
        _measure(
            connection,
            "Identity",
            "probability of the character; filter.min_probability",
            (face.probability, 0.05),
            wanted.min_probability,
            face.probability < wanted.min_probability,
        ),
    ]
    return [measure for measure in measures if measure.counts]


def _read_sharpness(connection: sa.Connection, wanted: FilterSettings) -> list[Measure]:
    """Count the measures of sharpness; those that decide have a threshold."""
    face, edges = _FACE, wanted.by_edges
    least_real = wanted.min_resolution * wanted.min_face
    found = []
    for name, unit, value, step, setting, cut, decides in (
        (
            "Sharpness of edges",
            "at 100 pixels",
            face.edge_sharpness,
            0.02,
            "min_edge_sharpness",
            wanted.min_edge_sharpness,
            edges,
        ),
        (
            "Real resolution",
            "pixels, up to 200",
            face.resolution,
            10.0,
            "min_resolution",
            least_real,
            edges,
        ),
        (
            "Laplacian variance",
            "at 100 pixels",
            face.sharpness,
            50.0,
            "min_sharpness",
            wanted.min_sharpness,
            not edges,
        ),
    ):
        note = f"{unit}; filter.{setting}" if decides else f"{unit}; no threshold"
        bad = value < cut if decides else sa.false()
        bars, limit = (value, step), cut if decides else None
        found.append(_measure(connection, name, note, bars, limit, bad))
    return found


def _measure(
    connection: sa.Connection,
    name: str,
    note: str,
    bars: tuple[sa.ColumnElement[Any], float],
    threshold: float | None,
    bad: sa.ColumnElement[bool],
) -> Measure:
    value, step = bars
    place = bin_of(connection, value, step).label("place")
    beyond = sa.func.sum(sa.case((bad, 1), else_=0))
    query = (
        sa.select(place, sa.func.count(), beyond)
        .where(value >= 0)
        .group_by(place)
        .order_by(place)
    )
    counts = {
        int(at): (int(number - out), int(out))
        for at, number, out in connection.execute(query)
    }
    return Measure(name, note, step, counts, threshold)
