"""Bounds of a difference: simulated worlds in which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from icf.models.gate.bootstrap import (
    Difference,
    difference,
    difference_of_means,
    draws,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MARGIN = 0.02
#: A share of 5% of so many worlds stays under `MOST` 99 times in 100.
WORLDS, MOST = 400, 0.0775


def everywhere(random: np.random.Generator, identities: int, mean: float) -> Floats:
    """Each identity is a little better or worse, its faces alike."""
    return random.normal(mean, 0.1, identities)


def in_places(random: np.random.Generator, identities: int, mean: float) -> Floats:
    """One identity in five is much better or worse, the others not at all."""
    hit = random.random(identities) < 0.2
    return np.where(hit, random.normal(mean / 0.2, 0.15, identities), 0.0)


World = Callable[[np.random.Generator, int, float], Floats]


def simulated(
    world: World, random: np.random.Generator, identities: int, mean: float
) -> tuple[Floats, Ints]:
    """The differences of the faces of one world, and whose faces they are."""
    faces = random.integers(3, 18, identities)
    of_identity = world(random, identities, mean)
    clusters = np.repeat(np.arange(identities), faces)
    noise = random.normal(0, 0.2, len(clusters))
    return of_identity[clusters] + noise * (of_identity[clusters] != 0), clusters


def promoted(world: World, identities: int, mean: float, worlds: int = WORLDS) -> float:
    """The share of worlds in which the lower bound is over the margin."""
    random = np.random.default_rng(identities)
    over = 0
    for _ in range(worlds):
        found = difference_of_means(
            *simulated(world, random, identities, mean), 0.95, 400
        )
        over += found.low > -MARGIN
    return over / worlds


@pytest.mark.parametrize("identities", [20, 40, 120])
@pytest.mark.parametrize("world", [everywhere, in_places])
def test_a_model_that_is_worse_by_the_margin_is_seldom_promoted(
    world: World, identities: int
) -> None:
    assert promoted(world, identities, -MARGIN) <= MOST


@pytest.mark.parametrize(
    ("world", "identities", "least"), [(everywhere, 400, 0.85), (in_places, 200, 0.85)]
)
def test_an_equal_model_is_mostly_promoted_where_the_set_is_large_enough(
    world: World, identities: int, least: float
) -> None:
    assert promoted(world, identities, 0.0, 100) >= least


def test_taking_faces_for_independent_promotes_far_too_many() -> None:
    random = np.random.default_rng(1)
    naive = 0
    for _ in range(WORLDS):
        values, _ = simulated(everywhere, random, 40, -MARGIN)
        each_alone = np.arange(len(values))
        naive += difference_of_means(values, each_alone, 0.95, 200).low > -MARGIN
    assert naive / WORLDS > 0.15
    assert promoted(everywhere, 40, -MARGIN) <= MOST


def test_bounds_are_wider_where_faces_of_an_identity_are_alike() -> None:
    values, clusters = simulated(everywhere, np.random.default_rng(3), 60, 0.0)
    clustered = difference_of_means(values, clusters, 0.95)
    alone = difference_of_means(values, np.arange(len(values)), 0.95)
    assert clustered.value == pytest.approx(alone.value)
    assert clustered.low < alone.low < alone.high < clustered.high
    assert clustered.error > 1.5 * alone.error
    assert (clustered.clusters, alone.clusters) == (60, len(values))


def test_a_loss_of_the_smallest_visible_size_is_seen_four_times_in_five() -> None:
    random = np.random.default_rng(4)
    visible = float(
        np.median(
            [
                difference_of_means(
                    *simulated(everywhere, random, 60, 0.0), 0.95, 200
                ).visible
                for _ in range(20)
            ]
        )
    )
    seen = [
        difference_of_means(
            *simulated(everywhere, random, 60, -visible), 0.95, 200
        ).high
        < 0
        for _ in range(200)
    ]
    assert 0.7 <= np.mean(seen) <= 0.92


def test_the_error_is_that_of_repeating_the_whole_world() -> None:
    random = np.random.default_rng(5)
    found = [
        difference_of_means(*simulated(everywhere, random, 50, 0.0), 0.95, 200)
        for _ in range(200)
    ]
    spread = np.std([each.value for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.12)


def test_models_that_agree_on_every_face_differ_by_nothing() -> None:
    found = difference_of_means(np.zeros(100), np.repeat(np.arange(20), 5), 0.95)
    assert found == Difference(0.0, 0.0, 0.0, 0.0, 20, 0.0)


def test_what_one_identity_alone_decides_has_wide_bounds() -> None:
    values, clusters = np.zeros(100), np.repeat(np.arange(20), 5)
    values[:5] = -0.5
    one = difference_of_means(values, clusters, 0.95)
    values[:] = -0.025
    values[::2] += 0.1
    values[1::2] -= 0.1
    all_alike = difference_of_means(values, clusters, 0.95)
    assert one.value == pytest.approx(-0.025)
    assert one.low < -0.15
    assert all_alike.low > -0.05


@pytest.mark.parametrize("count", [0, 1])
def test_one_identity_says_nothing_of_others(count: int) -> None:
    clusters = np.zeros(3 * count, np.int64)
    found = difference_of_means(np.full(3 * count, 0.25), clusters, 0.95)
    assert (found.low, found.high, found.visible) == (-math.inf, math.inf, math.inf)
    assert found.value == 0.25 * count
    assert difference(lambda drawn: drawn.sum(1), count, 0.9).low == -math.inf


def test_the_draws_are_always_the_same_and_of_whole_clusters() -> None:
    drawn = np.concatenate(list(draws(7, 250)))
    assert drawn.shape == (250, 7)
    assert (drawn.sum(1) == 7).all()
    assert (drawn == np.concatenate(list(draws(7, 250)))).all()
    assert drawn.mean(0) == pytest.approx(np.ones(7), abs=0.2)


def test_few_draws_give_about_the_bounds_of_many() -> None:
    values, clusters = simulated(everywhere, np.random.default_rng(6), 80, 0.0)
    few = difference_of_means(values, clusters, 0.95, 2_000)
    many = difference_of_means(values, clusters, 0.95, 20_000)
    assert few.value == many.value
    assert few.low == pytest.approx(many.low, abs=0.1 * many.error)
    assert few.high == pytest.approx(many.high, abs=0.1 * many.error)
