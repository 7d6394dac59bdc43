from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.reliability import BINS, Bin, reliability


def made(*pairs: tuple[float, bool]) -> tuple[list[Bin], float, float]:
    found = reliability(
        np.array([p for p, _ in pairs]), np.array([same for _, same in pairs])
    )
    return list(found.bins), found.error, found.log_loss


def test_the_error_is_the_distance_in_each_bin_counted_by_its_answers() -> None:
    bins, error, _ = made(
        (0.10, False), (0.14, True), (0.92, True), (0.94, True), (0.96, True)
    )
    assert [each.count for each in bins] == [2, 3]
    assert [each.predicted for each in bins] == pytest.approx([0.12, 0.94])
    assert [each.observed for each in bins] == pytest.approx([0.5, 1])
    assert error == pytest.approx(2 / 5 * 0.38 + 3 / 5 * 0.06)


def test_probabilities_that_come_true_have_no_error() -> None:
    pairs = [(0.25, each < 1) for each in range(4)]
    pairs += [(0.75, each < 3) for each in range(4)]
    assert made(*pairs)[1] == pytest.approx(0)


def test_certainty_that_is_wrong_has_all_of_it() -> None:
    assert made((1.0, False), (0.0, True))[1] == pytest.approx(1)


def test_the_log_loss_is_what_was_given_to_the_answers_that_came() -> None:
    assert made((0.8, True), (0.4, False))[2] == pytest.approx(
        -(np.log(0.8) + np.log(0.6)) / 2
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_every_answer_is_in_one_bin(pairs: list[tuple[float, bool]]) -> None:
    bins, error, _ = made(*pairs)
    assert sum(each.count for each in bins) == len(pairs)
    assert len(bins) <= BINS
    assert 0 <= error <= 1
    total = sum(each.count * each.predicted for each in bins)
    assert total == pytest.approx(sum(p for p, _ in pairs))


def test_chance_is_no_error() -> None:
    """Of a perfect model and 40 answers the plain error is about 0.16."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(40):
        probability = 1 / (1 + np.exp(-draw.normal(0, 1.2, 40)))
        found.append(reliability(probability, draw.random(40) < probability))
    assert 0.14 < np.mean([each.error for each in found]) < 0.19
    assert np.median([each.corrected for each in found]) < 0.04
    assert sum(each.low == 0 for each in found) >= 37
    assert all(each.low <= each.corrected <= each.high for each in found)


@pytest.mark.parametrize("count", [40, 2000])
def test_the_interval_has_the_error_of_a_model_that_is_off(count: int) -> None:
    draw = np.random.default_rng(1)
    holds = []
    for _ in range(40):
        probability = draw.uniform(0.3, 0.7, count)
        found = reliability(probability, draw.random(count) < probability + 0.2)
        holds.append(found.low <= 0.2 <= found.high)
        assert found.corrected == pytest.approx(0.2, abs=0.25 if count < 100 else 0.04)
    assert sum(holds) >= 36


def test_wrong_answers_are_no_error_of_the_probabilities() -> None:
    draw = np.random.default_rng(2)
    probability = draw.uniform(0, 1, 20_000)
    said = (draw.random(20_000) < probability) ^ (draw.random(20_000) < 0.1)
    assert reliability(probability, said).error > 0.04
    corrected = reliability(probability, said, None, 0.1)
    assert corrected.error < 0.02
    assert corrected.low == 0


def test_an_answer_counts_for_the_faces_that_it_represents() -> None:
    probability, same = np.array([0.25, 0.95]), np.array([False, False])
    found = reliability(probability, same, np.array([3.0, 1.0]))
    assert found.error == pytest.approx((3 * 0.25 + 0.95) / 4)
    assert [each.share for each in found.bins] == [0.75, 0.25]
    assert [each.count for each in found.bins] == [1, 1]
