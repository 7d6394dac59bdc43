from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.detection.operating import (
    Outcomes,
    at_threshold,
    best_threshold,
    outcomes,
)
from icf.dataset.scores.detection.score import score_found
from icf.dataset.scores.detection.truth import Found, Truth
from tests.dataset.scores.detection.made import found_of, truth_of


def made() -> Outcomes:
    """Two faces on the first of three pictures, one found; two false boxes."""
    boxes = truth_of([(0, [0, 0, 10, 10]), (0, [50, 0, 60, 10])], 3)
    rows = [
        (0, [0.0, 0, 10, 10], 0.9),
        (0, [20.0, 20, 30, 30], 0.4),
        (1, [0.0, 0, 10, 10], 0.6),
    ]
    truth = Truth.of(boxes)
    found = Found.of(truth, found_of(rows, boxes))
    return outcomes(truth, found, score_found(truth, found).coco)


def test_a_threshold_has_what_scores_at_least_that() -> None:
    point = at_threshold(made(), 0.6)
    assert point.detections == 2
    assert (point.precision, point.recall, point.f1) == (0.5, 0.5, 0.5)
    assert point.false_per_picture == pytest.approx(1 / 3)
    assert point.false_per_empty_picture == pytest.approx(1 / 2)


def test_above_every_score_nothing_is_found() -> None:
    point = at_threshold(made(), 1.0)
    assert (point.detections, point.precision, point.recall, point.f1) == (
        0,
        None,
        0,
        0,
    )


def test_the_best_threshold_has_the_greatest_f1() -> None:
    assert best_threshold(made()) == 0.9


def test_equal_scores_come_together() -> None:
    scores, hits = np.array([0.5, 0.5, 0.5]), np.array([True, False, False])
    some = Outcomes(scores, hits, np.zeros(3, np.bool_), 2, 1, 0)
    assert best_threshold(some) == 0.5
    assert at_threshold(some, 0.5).f1 == pytest.approx(2 / 5)
    assert at_threshold(some, 0.5).false_per_empty_picture is None
