"""Detection on the last release, as in figure 6 c of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.dataset.own_models import OWN_DETECTOR
from icf.dataset.report.drawing.curves import Axis, Curve, curves
from icf.dataset.report.drawing.plot import Plot
from icf.dataset.scores.detection.certainty import Interval, Resampled, certain
from icf.dataset.scores.detection.curves import RECALLS, at_recalls, curve
from icf.dataset.scores.detection.oddities import find_oddities
from icf.dataset.scores.detection.score import DetectionScore, score_found
from icf.dataset.scores.detection.truth import Found, Truth
from icf.errors import BadInput
from icf.icartoonface.detection import read_dettest_csv, read_submission_csv
from icf.icartoonface.release_files import DETTEST_BOXES, DETTEST_FOUND

FloatArray = npt.NDArray[np.float64]

#: Drawings of pictures that an interval is from.
DRAWINGS = 200
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class ShownDetection:
    """The scores of what a release's own detector found.

    Attributes:
        score: average precision in three conventions.
        area: the 95% interval of ``voc_all_point``, by picture.
        plot: the precision-recall curve, with its interval.
        undetected: pictures with a face in which it found nothing.
        unfair: why the score says little of the detector.
    """

    score: DetectionScore
    area: Interval
    plot: Plot
    undetected: int
    unfair: str = OWN_DETECTOR


def read_detection(files: Path) -> ShownDetection | None:
    """Score what the detector found against boxes that people verified.

    Args:
        files: the folder of the release's iCartoonFace files.

    Returns:
        None where a file is missing.
    """
    try:
        truth = Truth.of(read_dettest_csv(files / DETTEST_BOXES))
        found = Found.of(truth, read_submission_csv(files / DETTEST_FOUND))
        scored = score_found(truth, found)
    except BadInput:
        return None
    hits = scored.voc[scored.by_score] >= 0
    pictures = found.picture[scored.by_score]
    boxes = np.bincount(truth.boxes.picture, minlength=len(truth.boxes.pictures))
    drawn = certain(hits, pictures, boxes, DRAWINGS)
    return ShownDetection(
        scored.score,
        drawn.area,
        _plot(at_recalls(*curve(hits, int(boxes.sum()))), drawn),
        find_oddities(truth, found).undetected_pictures,
    )


def _plot(middle: FloatArray, drawn: Resampled) -> Plot:
    recalls, precisions = RECALLS.tolist(), middle.tolist()
    line = Curve(
        "precision", recalls, precisions, drawn.low.tolist(), drawn.high.tolist()
    )
    drawing = curves(
        [line],
        Axis("recall", 0, 1, _SHARES),
        Axis("precision", 0, 1, _SHARES),
        f"Precision and recall: mean precision {middle.mean():.3f}",
    )
    rows = [
        tuple(round(float(each), 4) for each in row)
        for row in zip(recalls, precisions, drawn.low, drawn.high, strict=True)
    ]
    return Plot(
        "precision-recall",
        "Precision and recall",
        "at IoU 0.5; the band is the 95% interval, by picture",
        drawing,
        ("recall", "precision", "low", "high"),
        rows,
    )
