from __future__ import annotations

import numpy as np
import pytest

from icf.statistics import mean_of_clusters, share, student


def test_the_interval_of_a_share_holds_the_true_one() -> None:
    draw = np.random.default_rng(0)
    counts = draw.binomial(30, 0.1, 2000)
    found = [share(int(count), 30) for count in counts]
    holds = np.mean([each.low <= 0.1 <= each.high for each in found])
    assert 0.93 < holds < 0.99


@pytest.mark.parametrize("total", [1, 7, 321, 99_991])
def test_the_bound_of_none_is_nought_and_of_all_one(total: int) -> None:
    assert share(0, total).low == 0.0
    assert share(total, total).high == 1.0


def test_a_share_is_corrected_for_what_is_counted_wrongly() -> None:
    found = share(15, 100, wrong=0.05)
    assert found.value == pytest.approx(0.1 / 0.9)
    assert share(0, 30, wrong=0.05).value == 0


def test_values_of_one_cluster_are_not_counted_as_independent() -> None:
    draw = np.random.default_rng(1)
    clusters = np.repeat(np.arange(12), 20)
    holds = []
    for _ in range(400):
        values = draw.normal(size=12)[clusters] + 0.2 * draw.normal(size=240)
        found = mean_of_clusters(values, draw.uniform(0.5, 2, 240), clusters)
        holds.append(found.low <= 0 <= found.high)
    assert 0.9 < np.mean(holds) < 0.99


@pytest.mark.parametrize(
    ("freedom", "share", "exact"),
    [(1, 0.975, 12.706), (2, 0.975, 4.303), (5, 0.975, 2.571), (6, 0.95, 1.943)],
)
def test_students_quantile(freedom: int, share: float, exact: float) -> None:
    assert student(freedom, share) == pytest.approx(exact, rel=0.003)
