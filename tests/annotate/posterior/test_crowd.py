"""What the rule costs in a small simulated crowd with known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.annotate.posterior.crowd import (
    Cost,
    Crowd,
    World,
    draw_faces,
    label,
    majority_error,
)

SMALL = World(labels=3000)
SEEDS = (31, 32, 33)


@pytest.fixture(scope="module")
def costs() -> dict[str, list[Cost]]:
    worlds = {
        "plain": SMALL,
        "without model": replace(SMALL, priors=False),
        "groups": replace(SMALL, group=2.0),
        "grids": replace(SMALL, group=2.0, grid=0.9),
    }
    return {name: [label(each, s) for s in SEEDS] for name, each in worlds.items()}


def mean(costs: list[Cost], name: str) -> float:
    return float(np.mean([getattr(each, name) for each in costs]))


def test_the_model_of_the_embedder_is_calibrated() -> None:
    faces = draw_faces(World(labels=200_000), np.random.default_rng(1))
    for low in np.arange(0, 1, 0.1):
        some = (faces.probability >= low) & (faces.probability < low + 0.1)
        assert faces.same[some].mean() == pytest.approx(
            faces.probability[some].mean(), abs=0.02
        )


def test_groups_are_of_the_size_that_the_world_says() -> None:
    world = World(labels=50_000, group=3.0)
    faces = draw_faces(world, np.random.default_rng(2))
    assert faces.size.mean() == pytest.approx(3.0, rel=0.03)
    assert faces.size.sum() >= world.labels


def test_half_the_votes_of_a_majority_have_no_higher_error(
    costs: dict[str, list[Cost]],
) -> None:
    peer = np.mean([majority_error(SMALL, seed) for seed in SEEDS])
    assert mean(costs["plain"], "error") <= peer
    assert mean(costs["plain"], "votes") <= 2.5
    assert mean(costs["without model"], "error") <= peer
    assert mean(costs["without model"], "votes") < 3
    assert mean(costs["plain"], "votes") < mean(costs["without model"], "votes")


def test_a_group_costs_one_question(costs: dict[str, list[Cost]]) -> None:
    ratio = mean(costs["groups"], "votes") / mean(costs["plain"], "votes")
    assert ratio == pytest.approx(0.5, abs=0.07)
    assert mean(costs["grids"], "seconds") < mean(costs["groups"], "seconds") * 0.7


def test_known_pairs_show_who_answers_at_random(costs: dict[str, list[Cost]]) -> None:
    paused = {name for each in costs["plain"] for name in each.paused}
    assert paused <= {"18", "19"}
    assert paused


def test_few_questions_go_to_an_expert(costs: dict[str, list[Cost]]) -> None:
    assert mean(costs["plain"], "disputed") < 0.01


def test_people_are_as_often_right_as_the_world_says() -> None:
    crowd = Crowd(SMALL, np.random.default_rng(3))
    honest = np.zeros(SMALL.labels, np.int64)
    said = crowd.say(np.arange(len(crowd.faces.same)), honest)
    right = said == crowd.faces.same
    assert right[~crowd.faces.hard].mean() == pytest.approx(crowd.clear[0], abs=0.02)
    assert right[crowd.faces.hard].mean() == pytest.approx(0.78, abs=0.08)
