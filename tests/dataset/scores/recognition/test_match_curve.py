from __future__ import annotations

import pytest

from icf.dataset.scores.recognition.groups import grouping
from icf.dataset.scores.recognition.identification import (
    identify,
    rank_k,
    rank_pairs,
    score_identification,
)
from icf.icartoonface.recognition import pairs_to_score
from tests.dataset.scores.recognition.made import features_of, info_of, labels_of


def test_the_curve_is_rank_k_of_every_rank() -> None:
    info = info_of(labels_of(6, 4, 9))
    features = features_of(info, 1)
    ranks = rank_pairs(info, features)
    curve = identify(info, features).curves.all
    assert curve.percent == pytest.approx([rank_k(ranks, k) for k in range(1, 11)])
    assert curve.at(10)[0] == curve.at(99)[0] == 100
    assert (curve.pairs, curve.identities) == (72, 6)


def test_each_interval_is_around_its_percent() -> None:
    info = info_of(labels_of(30, 4, 9))
    curve = identify(info, features_of(info, 2), seed=1).curves.all
    for percent, bounds in zip(curve.percent, curve.bounds, strict=True):
        assert bounds.low is not None
        assert bounds.high is not None
        assert 0 <= bounds.low <= percent <= bounds.high <= 100
    assert curve.bounds[0].low != curve.percent[0]


def test_a_pair_is_in_the_group_of_its_probe() -> None:
    info = info_of(labels_of(6, 4, 9))
    features = features_of(info, 3)
    names = ["a" if row % 4 < 1 else "b" if row % 4 < 3 else None for row in range(24)]
    sizes = grouping([*names, *["a"] * 9])
    ranks, probes = rank_pairs(info, features), pairs_to_score(info)[:, 0]
    found = identify(info, features, {"kind": sizes, "none": grouping([None] * 33)})
    assert list(found.curves.groups) == ["kind"]
    curves = found.curves.groups["kind"]
    for name, rows in (
        ("a", probes % 4 < 1),
        ("b", (probes % 4 > 0) & (probes % 4 < 3)),
    ):
        assert curves[name].pairs == rows.sum()
        assert curves[name].at(1)[0] == pytest.approx(rank_k(ranks[rows], 1))


def test_curves_and_scores_agree() -> None:
    info = info_of(labels_of(5, 3, 4))
    features = features_of(info, 4)
    found = identify(info, features)
    assert found.score == score_identification(info, features)
    assert found.curves.all.at(1)[0] == pytest.approx(found.score.rank1)
