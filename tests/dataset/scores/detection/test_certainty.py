from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.detection.certainty import calibration, resample
from icf.dataset.scores.detection.curves import all_point
from icf.dataset.scores.detection.operating import Outcomes


def outcomes_of(scores: list[float], hits: list[bool]) -> Outcomes:
    none = np.zeros(len(hits), np.bool_)
    return Outcomes(np.array(scores), np.array(hits), none, len(hits), 1, 0)


def test_draws_of_one_picture_are_all_that_picture() -> None:
    hits = np.array([True, False, True])
    made = resample(hits, np.zeros(3, np.int64), np.array([3]), draws=5)
    assert made.area.low == made.area.high == pytest.approx(all_point(hits, 3))
    assert made.low.tolist() == made.high.tolist()


def test_equal_pictures_differ_in_no_draw() -> None:
    # Four times a face that is found and one that is not.
    hits, picture = np.ones(4, np.bool_), np.arange(4)
    made = resample(hits, picture, np.full(4, 2), draws=20)
    assert (made.area.low, made.area.high) == (0.5, 0.5)
    assert made.at_recalls.low == made.at_recalls.high == pytest.approx(51 / 101)


def test_a_picture_that_is_drawn_twice_counts_twice() -> None:
    # One picture is all found, the other is not: draws are of 0, 1/2 or all of it.
    made = resample(np.array([True]), np.array([0]), np.array([1, 1]), draws=200)
    assert (made.area.low, made.area.high) == (0, 1)
    again = resample(np.array([True]), np.array([0]), np.array([1, 1]), draws=200)
    assert again.area == made.area


def test_scores_that_are_the_share_of_true_boxes_have_no_error() -> None:
    made = calibration(outcomes_of([0.5, 0.5], [True, False]))
    assert made is not None
    assert made.error == 0


@pytest.mark.parametrize("scores", [[], [1.5, 0.5], [-0.1, 0.5]])
def test_scores_that_are_no_probabilities_have_no_calibration(
    scores: list[float],
) -> None:
    assert calibration(outcomes_of(scores, [True] * len(scores))) is None
