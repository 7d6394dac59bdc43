"""All that is said of detections: figures, how sure they are, errors, suspicions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from icf.codes import SuspectedBox
from icf.dataset.scores.detection.certainty import (
    Interval,
    Resampled,
    calibration,
    certain,
)
from icf.dataset.scores.detection.groups import (
    GroupScore,
    SizeScore,
    by_kind,
    by_share,
    by_size,
)
from icf.dataset.scores.detection.operating import (
    OperatingPoint,
    Outcomes,
    at_threshold,
    best_threshold,
    outcomes,
)
from icf.dataset.scores.detection.score import Scored, score_found
from icf.dataset.scores.detection.suspects import Suspect, find_suspects
from icf.dataset.scores.detection.tide import Errors, find_errors
from icf.dataset.scores.detection.truth import Found, IntArray, Truth
from icf.dataset.scores.detection.voc import NOBODY
from icf.reliability import Reliability

#: How often pictures are drawn for an interval.
DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `icf-evaluate detection` says.

    Attributes:
        truth: The true boxes.
        found: The detections.
        scored: The figures by name, and the matches.
        resampled: Curves and their intervals, by the names of the conventions; empty
            without draws.
        sizes: Small, medium and large faces of COCO.
        shares: Faces by their share of the picture; None if sizes are not known.
        kinds: By what is known of the pictures.
        errors: The cause and cost of every error.
        calibration: Scores compared with truth; None if they are no probabilities.
        outcomes: The detections that count, the surest first.
        points: Operating points by name: ``best_f1``, ``all``, and ``detector`` where
            the detector's own threshold is known.
        suspects: What may be wrong with the truth.
    """

    truth: Truth
    found: Found
    scored: Scored
    resampled: Mapping[str, Resampled]
    sizes: Mapping[str, SizeScore]
    shares: Mapping[str, SizeScore] | None
    kinds: Mapping[str, Mapping[str, GroupScore]]
    errors: Errors
    calibration: Reliability | None
    outcomes: Outcomes
    points: Mapping[str, OperatingPoint]
    suspects: Sequence[Suspect]

    @property
    def intervals(self) -> dict[str, Interval]:
        """The 95% interval of each convention."""
        return {
            name: made.at_recalls if name == "coco" else made.area
            for name, made in self.resampled.items()
        }

    def values(self) -> dict[str, Any]:
        """Everything but the matches, for programs."""
        suspected = Counter(each.reason for each in self.suspects)
        return {
            **asdict(self.scored.score),
            "intervals": _dicts(self.intervals),
            "sizes": _dicts(self.sizes),
            "shares_of_picture": None if self.shares is None else _dicts(self.shares),
            "kinds": {name: _dicts(values) for name, values in self.kinds.items()},
            "errors": asdict(self.errors.costs),
            "calibration": asdict(self.calibration) if self.calibration else None,
            "operating_points": _dicts(self.points),
            "suspects": {each.value: suspected[each] for each in SuspectedBox},
        }


def _dicts(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: asdict(value) for name, value in values.items()}


def evaluate(
    truth: Truth,
    found: Found,
    threshold: float | None = None,
    draws: int = DRAWS,
) -> Evaluation:
    """Compute everything.

    Args:
        truth: The true boxes.
        found: The detections.
        threshold: The detector's own; None: it is not known.
        draws: How often pictures are drawn for the intervals; 0: no intervals.
    """
    scored = score_found(truth, found)
    errors = find_errors(truth, found, scored.overlaps, scored.coco)
    made = outcomes(truth, found, scored.coco)
    best = best_threshold(made)
    chosen = {"detector": threshold, "best_f1": best}
    if len(made.scores):
        chosen["all"] = float(made.scores[-1])
    points = {
        name: at_threshold(made, value)
        for name, value in chosen.items()
        if value is not None
    }
    sure = np.inf if best is None else best
    return Evaluation(
        truth=truth,
        found=found,
        scored=scored,
        resampled=_resampled(truth, found, scored, draws) if draws else {},
        sizes=by_size(scored),
        shares=by_share(truth, found, scored),
        kinds=by_kind(truth, found, scored),
        errors=errors,
        calibration=calibration(made),
        outcomes=made,
        points=points,
        suspects=find_suspects(truth, found, scored.overlaps, errors, sure),
    )


def _resampled(
    truth: Truth, found: Found, scored: Scored, draws: int
) -> dict[str, Resampled]:
    real = truth.boxes.picture[~truth.crowd]
    boxes = np.bincount(real, minlength=len(truth.boxes.pictures))
    coco = scored.coco
    counted: IntArray = coco.order[~coco.ignored()[coco.order]]
    ranked = {
        "official": (scored.official != NOBODY, scored.official_order),
        "coco": (coco.hits(), counted),
        "voc_all_point": (scored.voc != NOBODY, scored.by_score),
    }
    return {
        name: certain(hits[order], found.picture[order], boxes, draws)
        for name, (hits, order) in ranked.items()
    }
