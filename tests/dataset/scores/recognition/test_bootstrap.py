from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.recognition.bootstrap import (
    DRAWINGS,
    NONE,
    Bounds,
    draw_weights,
    ratio_bounds,
    rising,
)


def test_a_drawing_has_as_many_identities_as_there_are() -> None:
    weights = draw_weights(7, seed=3)
    assert weights.shape == (DRAWINGS, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert np.array_equal(weights, draw_weights(7, seed=3))
    assert not np.array_equal(weights, draw_weights(7, seed=4))


def test_bounds_equal_those_of_identities_drawn_one_by_one() -> None:
    rng = np.random.default_rng(1)
    wholes = rng.integers(1, 9, 12).astype(np.float64)
    parts = np.floor(wholes * rng.random(12))[:, None]
    weights = draw_weights(12, seed=2)
    shares = []
    for row in weights:
        drawn = np.repeat(np.arange(12), row.astype(int))
        shares.append(parts[drawn, 0].sum() / wholes[drawn].sum())
    [found] = ratio_bounds(parts, wholes, weights)
    assert (found.low, found.high) == pytest.approx(np.quantile(shares, (0.025, 0.975)))


def test_intervals_hold_the_truth_as_often_as_they_promise() -> None:
    """Identities differ, and the pairs of one are alike: pairs are no observations."""
    rng = np.random.default_rng(5)
    identities, pairs, runs = 60, 20, 150
    held = naive = 0
    for run in range(runs):
        skill = rng.beta(2, 1, identities)  # its mean is 2/3
        right = rng.binomial(pairs, skill).astype(np.float64)
        wholes = np.full(identities, float(pairs))
        [found] = ratio_bounds(right[:, None], wholes, draw_weights(identities, run))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 2 / 3 <= found.high
        share = right.sum() / (identities * pairs)
        half = 1.96 * np.sqrt(share * (1 - share) / (identities * pairs))
        naive += abs(share - 2 / 3) <= half
    # 95% of 150 are 142; with probability 0.999 at least 133.
    assert held >= 133
    assert naive < 120


@pytest.mark.parametrize("right", [0.0, 4.0])
def test_that_all_are_right_or_wrong_does_not_promise_certainty(right: float) -> None:
    parts, wholes = np.full((30, 1), right), np.full(30, 4.0)
    [found] = ratio_bounds(parts, wholes, draw_weights(30))
    unseen = 1.96**2 / (30 + 1.96**2)
    expected = (1 - unseen, 1.0) if right else (0.0, unseen)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("wrong", [1.0, 39.0])
def test_a_score_that_is_worse_promises_no_more_than_a_perfect_one(
    wrong: float,
) -> None:
    wholes = np.full(30, 40.0)
    parts = np.column_stack((wholes, wholes))
    parts[0, 0] -= wrong
    weights = draw_weights(30)
    worse, perfect = ratio_bounds(parts, wholes, weights)
    assert worse.low is not None
    assert perfect.low is not None
    assert worse.low <= perfect.low
    better, hopeless = ratio_bounds(wholes[:, None] - parts, wholes, weights)
    assert better.high is not None
    assert hopeless.high is not None
    assert better.high >= hopeless.high


def test_one_identity_has_no_interval() -> None:
    weights = draw_weights(3)
    assert ratio_bounds(np.ones((3, 2)), np.array([4.0, 0, 0]), weights) == [NONE] * 2


def test_a_share_that_cannot_be_less_is_bounded_by_the_one_before() -> None:
    found = rising([Bounds(0.5, 0.9), Bounds(0.4, 0.8), Bounds(0.6, 1.0)])
    assert found == [Bounds(0.5, 0.8), Bounds(0.5, 0.8), Bounds(0.6, 1.0)]
    assert rising([NONE, NONE]) == [NONE, NONE]
    assert rising([]) == []
