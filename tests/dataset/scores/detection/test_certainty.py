from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.detection.certainty import calibration, certain, resample
from icf.dataset.scores.detection.curves import all_point
from icf.dataset.scores.detection.evaluation import evaluate
from icf.dataset.scores.detection.operating import Outcomes
from icf.dataset.scores.detection.truth import Found, Truth
from tests.dataset.scores.detection.made import found_of, truth_of


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


@pytest.mark.parametrize("pictures", [1, 2, 30, 1000])
def test_no_interval_promises_more_than_a_perfect_score_of_as_many_pictures(
    pictures: int,
) -> None:
    boxes, order = np.full(pictures, 2), np.repeat(np.arange(pictures), 2)
    # Pictures without a face say nothing of how many are found.
    with_empty = np.append(boxes, np.zeros(pictures // 10, np.int64))
    bound = pictures / (pictures + 1.959964**2)
    for hits, low, high in (
        (np.ones(2 * pictures, np.bool_), bound, 1.0),
        (np.zeros(2 * pictures, np.bool_), 0.0, 1 - bound),
    ):
        made = certain(hits, order, with_empty, draws=20)
        for each in (made.area, made.at_recalls):
            assert (each.low, each.high) == pytest.approx((low, high), abs=1e-6)
        assert made.low == pytest.approx(np.full(101, low), abs=1e-6)
        assert made.high == pytest.approx(np.full(101, high), abs=1e-6)


def test_where_draws_differ_the_interval_is_theirs() -> None:
    rng = np.random.default_rng(0)
    hits, picture = rng.random(400) < 0.6, np.repeat(np.arange(200), 2)
    boxes = np.full(200, 2)
    assert (
        certain(hits, picture, boxes, 50).area
        == resample(hits, picture, boxes, 50).area
    )


def test_two_perfect_pictures_are_no_certainty() -> None:
    rows = [(0, [0.0, 0.0, 9.0, 9.0]), (1, [0.0, 0.0, 9.0, 9.0])]
    boxes = truth_of(rows, 2)
    truth = Truth.of(boxes)
    found = Found.of(truth, found_of([(*each, 0.9) for each in rows], boxes))
    for each in evaluate(truth, found, draws=50).intervals.values():
        assert (each.low, each.high) == pytest.approx((0.342, 1.0), abs=0.001)
