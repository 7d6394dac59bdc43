from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from icf.models.training.embedder.figures import (
    LabelledCrops,
    auc,
    measure,
    pairs,
    platt,
    rank1,
)

cosines = st.lists(st.integers(-20, 20), min_size=1, max_size=12).map(
    lambda rows: np.array(rows, np.float32) / 20
)


@given(same=cosines, different=cosines)
def test_the_area_is_the_share_of_pairs_in_the_right_order(
    same: np.ndarray[tuple[int], np.dtype[np.float32]],
    different: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> None:
    won = sum((a > b) + 0.5 * (a == b) for a in same for b in different)
    assert auc(same, different) == pytest.approx(won / len(same) / len(different))


def test_rank_one_is_about_the_nearest_other_vector() -> None:
    angles = np.deg2rad([0, 10, 40, 45])
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    # The third's nearest is the fourth, which is another character, and so back.
    assert rank1(vectors, np.array([0, 0, 0, 1])) == 0.5


def test_each_pair_counts_once() -> None:
    vectors = np.eye(3, dtype=np.float32)
    same, different = pairs(vectors, np.array([0, 0, 1]))
    assert (len(same), len(different)) == (1, 2)


def probability(cosine: float, slope: float, intercept: float) -> float:
    return 1 / (1 + math.exp(-(slope * cosine + intercept)))


def test_the_calibration_says_what_is_counted() -> None:
    """Pairs drawn from a known curve, as many of one kind as of the other, give it."""
    random = np.random.default_rng(0)
    drawn = random.uniform(-1, 1, 200_000).astype(np.float32)
    equal = random.random(len(drawn)) < 1 / (1 + np.exp(-6 * drawn))
    slope, intercept = platt((drawn[equal], drawn[~equal]))
    assert slope == pytest.approx(6, rel=0.05)
    assert intercept == pytest.approx(0, abs=0.1)


def test_the_calibration_does_not_depend_on_how_many_pairs_of_a_kind_there_are() -> (
    None
):
    random = np.random.default_rng(0)
    same = random.normal(0.6, 0.2, 5_000).astype(np.float32)
    different = random.normal(0.1, 0.2, 5_000).astype(np.float32)
    few = platt((same, different))
    many = platt((same, np.tile(different, 20)))
    for cosine in (0.1, 0.35, 0.6):
        a, b = probability(cosine, *few), probability(cosine, *many)
        assert a == pytest.approx(b, abs=0.01)
    assert probability(0.35, *few) == pytest.approx(0.5, abs=0.02)


def test_a_group_counts_as_much_as_another_one_of_more_pairs() -> None:
    random = np.random.default_rng(0)
    easy = [random.normal(mean, 0.1, 5_000).astype(np.float32) for mean in (0.8, 0.2)]
    hard = [random.normal(mean, 0.1, 5_000).astype(np.float32) for mean in (0.5, 0.4)]
    once = platt((easy[0], easy[1]), (hard[0], hard[1]))
    often = platt((np.tile(easy[0], 9), np.tile(easy[1], 30)), (hard[0], hard[1]))
    assert often == pytest.approx(once, rel=0.02)
    assert once[0] < 0.7 * platt((easy[0], easy[1]))[0]


def test_kinds_that_are_fully_apart_have_a_finite_slope() -> None:
    same, different = np.array([[0.8, 0.9], [0.1, 0.2]], np.float32)
    slope, intercept = platt((same, different))
    assert math.isfinite(slope)
    assert probability(0.85, slope, intercept) > 0.7
    assert probability(0.15, slope, intercept) < 0.3


def test_a_perfect_embedder_has_perfect_figures() -> None:
    colours = torch.eye(3).repeat_interleave(4, 0)[:, :, None, None] * 200
    crops = colours.expand(-1, -1, 112, 112).to(torch.uint8)
    faces = {"plain": LabelledCrops(crops, np.repeat(np.arange(3), 4))}
    figures = measure(lambda pixels: pixels.mean((2, 3)), faces)
    assert figures.by_group() == {
        "plain": {"identities": 3, "crops": 12, "auc": 1.0, "rank1": 1.0}
    }
    assert figures.summary() == {"auc": 1.0, "rank1": 1.0}
    assert figures.slope > 0


def test_the_calibration_is_of_the_groups_that_are_named() -> None:
    """One group is told apart, the other is not; the curve is of the first alone."""
    apart = LabelledCrops(torch.tensor([[1.0, 0], [1, 0], [0, 1]]), np.array([0, 0, 1]))
    mixed = LabelledCrops(torch.tensor([[1.0, 0], [0, 1], [1, 0]]), np.array([0, 0, 1]))
    faces = {"apart": apart, "mixed": mixed}
    alone = measure(lambda crops: crops, {"apart": apart})
    named = measure(lambda crops: crops, faces, ["apart"])
    pooled = measure(lambda crops: crops, faces)
    assert (named.slope, named.intercept) == (alone.slope, alone.intercept)
    assert named.groups.keys() == faces.keys()
    assert named.slope > pooled.slope
