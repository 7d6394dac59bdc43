from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.scores.recognition.groups import grouping
from icf.dataset.scores.recognition.open_set import (
    OpenSet,
    divide,
    identify_all,
    score_open_set,
)
from icf.dataset.scores.recognition.unit_vectors import unit
from icf.errors import BadInput
from tests.dataset.scores.recognition.made import features_of, info_of, labels_of

Floats = npt.NDArray[np.float64]
Scores = list[tuple[Floats, Floats]]


def cmc_scores(features: Floats, parts: OpenSet) -> Scores:
    """Negatives and positives of each probe, as bob.measure has them."""
    similarity = np.round(unit(features) @ unit(features[parts.gallery]).T, 9)
    mated = [
        (np.delete(similarity[row], mate), similarity[row, [mate]])
        for row, mate in zip(parts.mated, parts.mate, strict=True)
    ]
    return [*mated, *((similarity[row], np.empty(0)) for row in parts.non_mated)]


def detection_identification_rate(scores: Scores, threshold: float) -> float:
    """As Li and Jain 2011, chapter 14.1, define it: rank 1, and at the threshold."""
    mated = [(neg, float(pos.max())) for neg, pos in scores if pos.size]
    right = [pos >= threshold and not bool((neg >= pos).any()) for neg, pos in mated]
    return sum(right) / len(mated)


def false_alarm_rate(scores: Scores, threshold: float) -> float:
    """The share of non-mated probes whose highest score reaches the threshold."""
    highest = [float(neg.max()) for neg, pos in scores if not pos.size]
    return sum(each >= threshold for each in highest) / len(highest)


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=25, deadline=None)
def test_rates_are_those_of_the_published_definition(seed: int, ties: bool) -> None:
    info = info_of(labels_of(12, 4, 320))
    rng = np.random.default_rng(seed)
    features = features_of(info, seed, near=1.2)
    if ties:
        features = rng.integers(-1, 2, (368, 4)).astype(np.float64)
        features[~features.any(axis=1)] = 1
    parts = divide(info, None, seed)
    scores = cmc_scores(features, parts)
    found = score_open_set(info, features, parts)
    for each in found.rates[:2]:
        assert each.threshold is not None
        # Ours identifies above a threshold, theirs at one.
        at = round(each.threshold, 9) + 1e-9
        assert each.share == pytest.approx(detection_identification_rate(scores, at))
        rate = false_alarm_rate(scores, at)
        assert each.wrong == round(rate * 320)
        assert rate <= each.rate < false_alarm_rate(scores, at - 1e-9)
    assert found.rank1 == pytest.approx(detection_identification_rate(scores, -2))


def test_rates_are_those_of_bob_measure() -> None:
    """Where it is installed: ``pip install bob.measure``."""
    bob = pytest.importorskip("bob.measure", reason="bob.measure is opt-in")
    info = info_of(labels_of(12, 4, 320))
    features = features_of(info, 3, near=1.2)
    parts = divide(info, None, 3)
    scores = cmc_scores(features, parts)
    for each in score_open_set(info, features, parts).rates[:2]:
        assert each.threshold is not None
        at = round(each.threshold, 9) + 1e-9
        assert each.share == pytest.approx(
            bob.detection_identification_rate(scores, at)
        )
        assert each.wrong == round(320 * bob.false_alarm_rate(scores, at))


def test_each_known_identity_is_enrolled_with_one_picture() -> None:
    info = info_of(labels_of(6, 3, 5))
    known = info.labels < 4
    parts = divide(info, known, seed=2)
    assert info.labels[parts.gallery].tolist() == [0, 1, 2, 3]
    assert (info.labels[parts.gallery][parts.mate] == info.labels[parts.mated]).all()
    assert sorted(info.labels[parts.non_mated]) == [-1] * 5 + [4] * 3 + [5] * 3
    rows = np.concatenate([parts.gallery, parts.mated, parts.non_mated])
    assert sorted(rows.tolist()) == list(range(23))
    other = divide(info, known, seed=3)
    assert other.gallery.tolist() != parts.gallery.tolist()


def test_a_mate_that_is_as_near_as_somebody_else_is_not_on_top() -> None:
    info = info_of([0, 0, 1, 1, -1])
    features = np.array([[1.0, 0], [1, 0], [2, 0], [0, 1], [1, 1]])
    parts = OpenSet(np.array([0, 2]), np.array([1]), np.array([0]), np.array([4]))
    assert identify_all(features, parts).on_top.tolist() == [False]
    features[2] = 0, 1
    assert identify_all(features, parts).on_top.tolist() == [True]
    assert score_open_set(info, features, parts).rates[0].share is None


def test_a_rate_with_too_few_non_mated_probes_is_refused() -> None:
    info = info_of(labels_of(12, 4, 299))
    found = score_open_set(info, features_of(info, 1), divide(info, None, 0))
    assert [each.needed for each in found.rates] == [100, 300, 1000, 3000, 30000]
    assert [each.share is None for each in found.rates] == [False, *[True] * 4]


def test_mated_probes_are_grouped_and_have_intervals() -> None:
    info = info_of(labels_of(12, 4, 100))
    features = features_of(info, 4)
    parts = divide(info, None, 0)
    side = grouping(["left" if n % 2 else "right" for n in range(148)])
    [first, *_] = score_open_set(info, features, parts, {"side": side}).rates
    assert first.share is not None
    assert first.bounds.low is not None
    assert first.bounds.high is not None
    assert first.bounds.low < first.share < first.bounds.high
    sides = first.groups["side"]
    sums = [each.share * each.count for each in sides.values()]
    assert sum(sums) == pytest.approx(first.right)
    for each in sides.values():
        assert each.bounds.low is not None
        assert each.bounds.high is not None
        assert each.bounds.low < each.share < each.bounds.high


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0, 1, -1], "no mated probe"), ([0, 0, 1, 1], "no non-mated probe")],
)
def test_a_test_without_probes_of_a_kind_is_refused(
    labels: list[int], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        divide(info_of(labels), None, 0)
