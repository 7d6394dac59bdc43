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
