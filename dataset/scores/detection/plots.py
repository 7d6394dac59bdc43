"""Plots of an evaluation, each as SVG for people and as CSV for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from markupsafe import escape

from icf.dataset.scores.detection.curves import RECALLS, at_recalls, curve
from icf.dataset.scores.detection.evaluation import Evaluation
from icf.dataset.scores.detection.voc import NOBODY
from icf.dataset.scores.lines import LINES, document
from icf.dataset.scores.plots import Line, Plot, draw
from icf.spreadsheet import harmless, write_csv
from icf.stores.files import replace_file

#: Width of the drawing of bars, and the height above them.
_WIDTH, _TOP = 420, 34


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
        "coco": (coco.hits()[counted], scored.score.coco),
        "official": (
            (scored.official != NOBODY)[scored.official_order],
            scored.score.official,
        ),
    }
    lines, columns, table = [], ["recall"], [RECALLS]
    for name, (hits, area) in curves.items():
        precision = at_recalls(*curve(hits, boxes))
        low = high = np.zeros(0)
        columns.append(name)
        table.append(precision)
        if name in made.resampled:
            low, high = made.resampled[name].low, made.resampled[name].high
            columns += [f"{name}_low", f"{name}_high"]
            table += [low, high]
        shown = (each.tolist() for each in (RECALLS, precision, low, high))
        lines.append(Line(f"{name} {area:.3f}", *shown))
    title = f"Precision and recall at IoU 0.5: {len(found.scores):,} detections"
    plot = Plot(title, "recall", "precision", lines, most=1.0)
    replace_file(folder / "precision_recall.svg", [draw(plot).encode()])
    write_csv(folder / "precision_recall.csv", columns, np.column_stack(table).tolist())
    yield from ("precision_recall.svg", "precision_recall.csv")


def _reliability(folder: Path, made: Evaluation) -> Iterator[str]:
    if made.calibration is None:
        return
    bins = made.calibration.bins
    lines = [
        Line(
            f"error {made.calibration.error:.3f}",
            [each.predicted for each in bins],
            [each.observed for each in bins],
            dots=True,
        ),
        Line("scores that are probabilities", (0.0, 1.0), (0.0, 1.0)),
    ]
    title = "Are scores probabilities? Share that is true, by score"
    plot = Plot(title, "score", "share true", lines, most=1.0)
    replace_file(folder / "reliability.svg", [draw(plot).encode()])
    columns = ("count", "predicted", "observed", "share")
    rows = [(each.count, each.predicted, each.observed, each.share) for each in bins]
    write_csv(folder / "reliability.csv", columns, rows)
    yield from ("reliability.svg", "reliability.csv")


def _errors(folder: Path, made: Evaluation) -> Iterator[str]:
    costs = made.errors.costs
    rows = [(name, each.count, each.ap) for name, each in costs.causes.items()]
    title = f"What AP50 {costs.ap:.3f} would gain without each error"
    replace_file(folder / "errors.svg", [bars(title, rows).encode()])
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


def bars(title: str, rows: Sequence[tuple[str, int, float]]) -> str:
    """Draw a bar a row, each with its count and its value, as one SVG file."""
    most = max((value for *_, value in rows), default=0.0) or 1.0
    left, wide, step = 96, 200, 30
    parts = [f'<text class="title" x="12" y="20">{escape(title)}</text>']
    for place, (name, count, value) in enumerate(rows):
        y = _TOP + 8 + place * step
        length = wide * value / most
        parts.append(
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="20" '
            f'fill="{LINES[0][0]}"/>'
            f'<text x="{left + length + 6:.1f}" y="{y + 14}">'
            f"+{value:.3f} ({count:,})</text>"
        )
    return document(title, _WIDTH, _TOP + 16 + step * len(rows), "".join(parts))
