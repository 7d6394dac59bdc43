from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from icf.dataset.scores.recognition.groups import grouping
from icf.dataset.scores.recognition.pair_blocks import AllPairs, ListedPairs
from icf.dataset.scores.recognition.unit_vectors import unit
from icf.dataset.scores.recognition.verification import (
    FARS,
    Verification,
    needed_for,
    share_above,
    verify,
)
from icf.errors import BadInput
from icf.icartoonface.recognition import RecognitionTest
from tests.dataset.scores.recognition.made import features_of, info_of, labels_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def every_pair(info: RecognitionTest, features: Floats) -> tuple[Floats, Bools]:
    """Cosine and kind of every pair but those of two distractors, one by one."""
    units = unit(features)
    cosines, same = [], []
    for a in range(len(units)):
        for b in range(a + 1, len(units)):
            if info.labels[a] >= 0 or info.labels[b] >= 0:
                cosines.append(float(units[a] @ units[b]))
                same.append(bool(info.labels[a] == info.labels[b]))
    return np.array(cosines), np.array(same)


def scored(info: RecognitionTest, features: Floats) -> Verification:
    return verify(AllPairs.of(info, unit(features)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rates_equal_those_of_all_pairs_held_together(seed: int) -> None:
    info = info_of(labels_of(20, 6, 60))
    features = features_of(info, seed)
    found = scored(info, features)
    cosines, same = every_pair(info, features)
    assert (found.genuine, found.impostors) == (same.sum(), (~same).sum())
    far, tar, _ = roc_curve(same, cosines, drop_intermediate=False)
    reached = [each for each in found.operating if each.share is not None]
    assert len(reached) == 2
    for each in reached:
        assert each.share == pytest.approx(tar[far <= each.rate].max(), abs=1e-12)
        assert each.threshold is not None
        assert each.right == (cosines[same] > each.threshold).sum()
        above = (cosines[~same] > each.threshold + 1e-12).sum()
        assert each.wrong == above
        assert above / found.impostors <= each.rate < (above + 1) / found.impostors


@pytest.mark.parametrize("mean", [0.0, 30.0, 3e4])
def test_curve_and_intervals_are_as_exact_where_all_cosines_are_nearly_the_same(
    mean: float,
) -> None:
    info = info_of(labels_of(20, 6, 60))
    features = features_of(info, 3) + mean
    features[-1] *= -1  # one that is far from all others
    found = scored(info, features)
    cosines, same = every_pair(info, features)
    for each in found.curve:
        falling = np.sort(cosines[~same])[::-1]
        threshold = falling[int(each.far * len(falling) + 1e-9)]
        assert each.frr == pytest.approx(np.mean(cosines[same] <= threshold + 1e-12))
        assert each.bounds.low is not None
        assert each.bounds.high is not None
        assert each.bounds.low - 1e-9 <= each.frr <= each.bounds.high + 1e-9
        # Of 20 identities: bounds that know nothing reach from 0 to 1.
        assert each.bounds.high - each.bounds.low < 0.5


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_ties_are_not_accepted(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    info = info_of(labels_of(6, 4, 10))
    features = rng.integers(-1, 2, (34, d)).astype(np.float64)
    features[~features.any(axis=1)] = 1
    found = scored(info, features)
    cosines, same = every_pair(info, features)
    rounded = np.round(cosines, 9)
    [each] = [each for each in found.operating if each.share is not None]
    falling = np.sort(rounded[~same])[::-1]
    threshold = falling[int(0.1 * len(falling))]
    assert each.share == np.mean(rounded[same] > threshold)
    assert each.wrong == (falling > threshold).sum()
    at = np.unique(rounded)
    far = np.array([np.mean(rounded[~same] > t) for t in at])
    frr = np.array([np.mean(rounded[same] <= t) for t in at])
    first = int(np.argmax(far <= frr))
    assert found.eer == pytest.approx((far[first] + frr[first]) / 2)
    assert found.eer_threshold == pytest.approx(at[first])


def test_a_rate_needs_thirty_errors_or_is_refused() -> None:
    info = info_of(labels_of(20, 6, 60))
    found = scored(info, features_of(info, 1))
    assert [each.rate for each in found.operating] == list(FARS)
    assert [each.needed for each in found.operating] == [
        *(300, 3_000, 30_000, 300_000, 3_000_000, 30_000_000)
    ]
    for each in found.operating:
        assert (each.share is None) == (found.impostors < needed_for(each.rate))
    assert found.operating[2].threshold is None


def test_listed_pairs_are_scored_as_if_there_were_no_others() -> None:
    info = info_of(labels_of(20, 6, 60))
    features = features_of(info, 4)
    units = unit(features)
    rng = np.random.default_rng(5)
    pairs = np.array(
        [(a, b) for a in range(120) for b in range(a + 1, 180) if rng.random() < 0.1]
    )
    found = verify(ListedPairs(info.labels, units, pairs))
    cosines = np.einsum("ij,ij->i", *units[pairs.T])
    same = info.labels[pairs[:, 0]] == info.labels[pairs[:, 1]]
    assert found.genuine == same.sum()
    far, tar, _ = roc_curve(same, cosines, drop_intermediate=False)
    assert found.operating[0].share == pytest.approx(tar[far <= 0.1].max())


def test_a_listed_genuine_pair_counts_once_in_either_order() -> None:
    info = info_of(labels_of(3, 3, 40))
    listed = RecognitionTest(
        info.files, info.boxes, info.labels, np.array([[0, 1], [1, 0], [4, 5]])
    )
    units = unit(features_of(info, 1))
    assert AllPairs.of(listed, units).genuine.tolist() == [[0, 1], [4, 5]]
    assert len(AllPairs.of(info, units).genuine) == 9


def test_intervals_hold_the_truth_as_often_as_they_promise() -> None:
    """The truth is that of a test of very many identities of the same kind."""
    large = info_of(labels_of(700, 4, 0))
    truth = scored(large, features_of(large, 99, near=1.0))
    tar, eer = truth.operating[0].share, truth.eer
    assert tar is not None
    held_tar = held_eer = 0
    for seed in range(40):
        info = info_of(labels_of(40, 4, 0))
        found = scored(info, features_of(info, seed, near=1.0))
        bounds = found.operating[0].bounds
        assert bounds.low is not None
        assert bounds.high is not None
        held_tar += bounds.low <= tar <= bounds.high
        assert found.eer_bounds.low is not None
        assert found.eer_bounds.high is not None
        held_eer += found.eer_bounds.low <= eer <= found.eer_bounds.high
    # 95% of 40 are 38; with probability 0.999 at least 33.
    assert held_tar >= 33
    assert held_eer >= 33


def test_a_pair_is_in_a_group_that_both_pictures_are_in() -> None:
    info = info_of(labels_of(20, 6, 60))
    features = features_of(info, 6)
    side = grouping(["left" if n % 3 else "right" for n in range(180)])
    pairs = AllPairs.of(info, unit(features))
    first = verify(pairs, {"side": side}).operating[0]
    assert first.threshold is not None
    for name, code in (("left", 0), ("right", 1)):
        both = (side.codes[pairs.genuine] == code).all(axis=1)
        found = first.groups["side"][name]
        assert found.count == both.sum()
        assert found.share == pytest.approx(
            np.mean(pairs.genuine_cosines[both] > first.threshold)
        )
        assert found.bounds.low is not None
        assert found.bounds.low <= found.share


def test_a_group_is_also_scored_by_its_own_pairs_where_they_support_a_rate() -> None:
    info = info_of(labels_of(20, 6, 60))
    features = features_of(info, 6)
    side = np.arange(180) % 3
    names = ["left", "right", None]
    by = grouping([names[code] for code in side])
    few = grouping(["few" if n < 16 else None for n in range(180)])
    pairs = AllPairs.of(info, unit(features))
    listed = ListedPairs(info.labels, unit(features), rows_of_pairs(info.labels))
    found, other = (verify(each, {"side": by, "few": few}) for each in (pairs, listed))
    assert list(found.groups) == ["side"]
    for code, name in ((0, "left"), (1, "right")):
        rows = side == code
        alone = scored(info_of(info.labels[rows].tolist()), features[rows])
        for made in (found, other):
            group = made.groups["side"][name]
            assert (group.genuine, group.impostors) == (alone.genuine, alone.impostors)
            assert group.eer == pytest.approx(alone.eer)
            assert group.operating[0].share == pytest.approx(alone.operating[0].share)
            assert group.operating[0].bounds.low is not None


def rows_of_pairs(labels: Ints) -> Ints:
    """All pairs but those of two distractors."""
    rows = np.array(list(combinations(range(len(labels)), 2)), np.int64)
    return np.array([row for row in rows if labels[row].max() >= 0], np.int64)


def test_impostor_pairs_are_counted_without_their_cosines() -> None:
    info = info_of(labels_of(7, 4, 9))
    units = unit(features_of(info, 2))
    rows = rows_of_pairs(info.labels)
    different = int((info.labels[rows[:, 0]] != info.labels[rows[:, 1]]).sum())
    for pairs in (AllPairs.of(info, units), ListedPairs(info.labels, units, rows)):
        counted = sum(int(block.counted.sum()) for block in pairs.impostors(np.float64))
        assert pairs.impostor_count == counted == different


def test_the_curve_falls_and_meets_the_true_accept_rates() -> None:
    info = info_of(labels_of(20, 6, 60))
    found = scored(info, features_of(info, 7))
    rejected = [each.frr for each in found.curve]
    assert rejected == sorted(rejected)
    assert found.curve[-1].far == pytest.approx(30 / found.impostors)
    near = min(found.curve, key=lambda each: abs(each.far - 0.1))
    assert found.operating[0].share == pytest.approx(1 - near.frr, abs=0.05)
    for each in found.curve:
        assert each.bounds.low is not None
        assert each.bounds.high is not None
        assert each.bounds.low <= each.frr <= each.bounds.high


def test_what_is_apart_has_no_error() -> None:
    info = info_of(labels_of(5, 4, 0))
    features = np.eye(5)[info.labels] + 0.01 * features_of(info, 1)[:, :5]
    found = scored(info, features)
    assert (found.eer, found.operating[0].share) == (0, None)
    assert share_above(np.array([0.1, 0.2, 0.3]), 0.2) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0, 1, -1], "no genuine pair"), ([0, 0, 0], "no impostor pair")],
)
def test_a_test_without_pairs_of_a_kind_is_refused(
    labels: list[int], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        scored(info_of(labels), np.eye(3))


def test_features_that_hardly_differ_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("icf.dataset.scores.recognition.verification._MOST", 1000)
    info = info_of(labels_of(20, 6, 60))
    with pytest.raises(BadInput, match="features that hardly differ"):
        scored(info, np.ones((180, 4)))
