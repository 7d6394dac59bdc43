"""Two recognisers on one test: their difference, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.recognition.bootstrap import draw_weights
from icf.dataset.scores.recognition.comparison import compare_ranks


def test_bounds_equal_those_of_identities_drawn_one_by_one() -> None:
    rng = np.random.default_rng(1)
    owners = rng.integers(0, 12, 300)
    ranks, others = rng.integers(1, 9, 300), rng.integers(1, 12, 300)
    (found,) = compare_ranks(ranks, others, owners, [3], seed=2)
    differences = []
    for row in draw_weights(12, seed=2):
        drawn = np.repeat(np.arange(12), row.astype(int))
        pairs = np.concatenate([np.flatnonzero(owners == each) for each in drawn])
        differences.append(np.mean(ranks[pairs] <= 3) - np.mean(others[pairs] <= 3))
    wanted = 100 * np.quantile(differences, (0.025, 0.975))
    assert (found.bounds.low, found.bounds.high) == pytest.approx(wanted)
    assert found.points == pytest.approx(
        100 * (np.mean(ranks <= 3) - np.mean(others <= 3))
    )


def test_intervals_hold_the_truth_as_often_as_they_promise() -> None:
    """What is hard for one is hard for the other, and pairs of an identity are alike.

    The paired interval is narrower than two intervals that are subtracted.
    """
    rng = np.random.default_rng(5)
    owners = np.repeat(np.arange(60), 20)
    held = 0
    for run in range(150):
        skill = np.repeat(rng.beta(2, 1, 60), 20)  # its mean is 2/3
        luck = rng.random(1200)
        ranks = np.where(luck < skill, 1, 2)
        others = np.where(luck < 0.9 * skill, 1, 2)
        (found,) = compare_ranks(ranks, others, owners, [1], run)
        assert found.bounds.low is not None
        assert found.bounds.high is not None
        held += found.bounds.low <= 100 * (1 - 0.9) * 2 / 3 <= found.bounds.high
        assert found.bounds.high - found.bounds.low < 5
    # 95% of 150 are 142; with probability 0.999 at least 133.
    assert held >= 133


@pytest.mark.parametrize(("other", "points"), [(1, 0.0), (2, 100.0)])
def test_identities_that_differ_alike_do_not_promise_certainty(
    other: int, points: float
) -> None:
    ranks, owners = np.ones(40, int), np.repeat(np.arange(10), 4)
    (found,) = compare_ranks(ranks, np.full(40, other), owners, [1], 0)
    unseen = 100 * 1.959964**2 / (10 + 1.959964**2)
    assert found.points == points
    assert found.bounds.low == pytest.approx(points - unseen)
    assert found.bounds.high == pytest.approx(min(100, points + unseen))


def test_one_identity_has_no_interval() -> None:
    (found,) = compare_ranks(np.ones(4, int), np.ones(4, int), np.zeros(4, int), [1], 0)
    assert (found.bounds.low, found.bounds.high) == (None, None)
