"""Plots of an evaluation, each as SVG for people and as CSV for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape

from icf.dataset.scores.detection.curves import RECALLS, at_recalls, curve
from icf.dataset.scores.detection.evaluation import Evaluation
from icf.dataset.scores.detection.truth import FloatArray
from icf.dataset.scores.detection.voc import NOBODY
from icf.spreadsheet import harmless, write_csv

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 420, 320, 52, 44, 34, 14


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, with a band around it or none.

    Attributes:
        name: What it is.
        x: Shape (n,), from 0 to 1.
        y: Shape (n,), from 0 to 1.
        colour: Of the line.
        band: The lower and the upper edge, each of shape (n,).
        dots: Whether its points are shown.
    """

    name: str
    x: FloatArray
    y: FloatArray
    colour: str
    band: tuple[FloatArray, FloatArray] | None = None
    dots: bool = False


def write_plots(folder: Path, made: Evaluation) -> list[str]:
    """Write all plots and tables into a folder, which is created where it is missing.

    Returns:
        The names of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *_precision_recall(folder, made),
        *_reliability(folder, made),
        *_errors(folder, made),
        *_suspects(folder, made),
    ]


def _precision_recall(folder: Path, made: Evaluation) -> Iterator[str]:
    scored, found = made.scored, made.found
    boxes = scored.score.boxes
    coco = scored.coco
    counted = coco.order[~coco.ignored()[coco.order]]
    curves = {
        "coco": (coco.hits()[counted], scored.score.coco, BLUE),
        "official": (
            (scored.official != NOBODY)[scored.official_order],
            scored.score.official,
            ORANGE,
        ),
    }
    lines, columns, table = [], ["recall"], [RECALLS]
    for name, (hits, area, colour) in curves.items():
        precision = at_recalls(*curve(hits, boxes))
        band = None
        columns.append(name)
        table.append(precision)
        if name in made.resampled:
            band = made.resampled[name].low, made.resampled[name].high
            columns += [f"{name}_low", f"{name}_high"]
            table += band
        lines.append(Line(f"{name} {area:.3f}", RECALLS, precision, colour, band))
    title = f"Precision and recall at IoU 0.5: {len(found.scores):,} detections"
    _write(folder / "precision_recall.svg", chart(title, "recall", "precision", lines))
    write_csv(folder / "precision_recall.csv", columns, np.column_stack(table).tolist())
    yield from ("precision_recall.svg", "precision_recall.csv")


def _reliability(folder: Path, made: Evaluation) -> Iterator[str]:
    if made.calibration is None:
        return
    bins = made.calibration.bins
    predicted = np.array([each.predicted for each in bins])
    observed = np.array([each.observed for each in bins])
    ends = np.array([0.0, 1.0])
    lines = [
        Line("scores that are probabilities", ends, ends, GREY),
        Line(
            f"error {made.calibration.error:.3f}", predicted, observed, BLUE, dots=True
        ),
    ]
    title = "Are scores probabilities? Share that is true, by score"
    _write(folder / "reliability.svg", chart(title, "score", "share true", lines))
    columns = ("count", "predicted", "observed", "share")
    rows = [(each.count, each.predicted, each.observed, each.share) for each in bins]
    write_csv(folder / "reliability.csv", columns, rows)
    yield from ("reliability.svg", "reliability.csv")


def _errors(folder: Path, made: Evaluation) -> Iterator[str]:
    costs = made.errors.costs
    rows = [(name, each.count, each.ap) for name, each in costs.causes.items()]
    title = f"What AP50 {costs.ap:.3f} would gain without each error"
    _write(folder / "errors.svg", bars(title, rows))
    write_csv(folder / "errors.csv", ("error", "count", "ap_gain"), rows)
    yield from ("errors.svg", "errors.csv")


def _suspects(folder: Path, made: Evaluation) -> Iterator[str]:
    columns = ("reason", "score", "picture", "x1", "y1", "x2", "y2", "other_box")
    rows = (
        (
            each.reason.value,
            each.score,
            harmless(each.picture),
            *each.corners,
            " ".join(f"{value:g}" for value in each.other or ()),
        )
        for each in made.suspects
    )
    write_csv(folder / "suspects.csv", columns, rows)
    yield "suspects.csv"


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def chart(title: str, across: str, up: str, lines: Sequence[Line]) -> str:
    """Draw curves from 0 to 1 on both axes, as one SVG file."""
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def point(x: float, y: float) -> str:
        return f"{_LEFT + wide * x:.1f},{_TOP + high * (1 - y):.1f}"

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _LEFT + wide * share, _TOP + high * (1 - share)
        parts.append(
            f'<path d="M{_LEFT},{y:.1f}h{wide}M{x:.1f},{_TOP}v{high}" '
            'stroke="#ddd" fill="none"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:g}</text>'
            f'<text x="{x:.1f}" y="{_TOP + high + 16}" '
            f'text-anchor="middle">{share:g}</text>'
        )
    for place, line in enumerate(lines):
        points = [point(*each) for each in zip(line.x, line.y, strict=True)]
        if line.band is not None:
            low, high_edge = line.band
            edge = [point(*each) for each in zip(line.x, high_edge, strict=True)]
            edge += [point(*each) for each in zip(line.x, low, strict=True)][::-1]
            parts.append(
                f'<polygon points="{" ".join(edge)}" fill="{line.colour}" '
                'fill-opacity="0.15"/>'
            )
        dash = ' stroke-dasharray="6 3"' if place else ""
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" '
            f'stroke="{line.colour}" stroke-width="2"{dash}/>'
        )
        if line.dots:
            parts += [
                f'<circle cx="{x}" cy="{y}" r="3" fill="{line.colour}"/>'
                for x, y in (each.split(",") for each in points)
            ]
        # Where curves are not: below those that begin high, above those that rise.
        y = _TOP + 18 + 18 * place
        if lines[0].y[0] > lines[0].y[-1]:
            y += high - 30 - 18 * (len(lines) - 1)
        parts.append(
            f'<path d="M{_LEFT + 12},{y - 4}h24" stroke="{line.colour}" '
            f'stroke-width="2"{dash}/>'
            f'<text x="{_LEFT + 42}" y="{y}">{escape(line.name)}</text>'
        )
    parts.append(
        f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 8}" '
        f'text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(14,{_TOP + high / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(up)}</text>'
    )
    return _svg(title, _HEIGHT, "".join(parts))


def bars(title: str, rows: Sequence[tuple[str, int, float]]) -> str:
    """Draw a bar a row, each with its count and its value, as one SVG file."""
    most = max((value for *_, value in rows), default=0.0) or 1.0
    left, wide, step = 96, 200, 30
    parts = []
    for place, (name, count, value) in enumerate(rows):
        y = _TOP + 8 + place * step
        length = wide * value / most
        parts.append(
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="20" '
            f'fill="{BLUE}"/>'
            f'<text x="{left + length + 6:.1f}" y="{y + 14}">'
            f"+{value:.3f} ({count:,})</text>"
        )
    return _svg(title, _TOP + 16 + step * len(rows), "".join(parts))


def _svg(title: str, height: int, inside: str) -> str:
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" '
            'width="{}" height="{}" role="img" aria-label="{}" '
            'font-family="sans-serif" font-size="12" fill="#222">'
            '<rect width="100%" height="100%" fill="#fff"/>'
            '<text x="{}" y="20" font-size="13" font-weight="bold">{}</text>'
        ).format(_WIDTH, height, _WIDTH, height, title, 12, title)
        + Markup(inside)
        + Markup("</svg>")
    )
