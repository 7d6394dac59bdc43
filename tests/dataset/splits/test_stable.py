"""One more face moves what it touches, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.splits.make import Problem, make_splits
from icf.dataset.splits.protocol import Protocol
from tests.dataset.splits.worlds import REACH, World, places, some_faces


def moved(before: Problem, after: Problem, protocol: Protocol, seed: int) -> float:
    """The share of the old faces that are elsewhere after some were added."""
    one = places(before, make_splits(before, protocol, REACH, seed))
    two = places(after, make_splits(after, protocol, REACH, seed))
    return sum(two[key] != part for key, part in one.items()) / len(one)


@pytest.mark.parametrize("new", ["faces", "identities"])
def test_growing_by_one_in_a_hundred_moves_less_than_one_in_a_hundred(new: str) -> None:
    world = World(20_000, 400, albums=40)
    grown = world.draw()
    rng = np.random.default_rng(3)
    found = []
    for seed in range(4):
        if new == "faces":
            keep = rng.random(20_000) >= 0.01
        else:
            keep = ~np.isin(grown.faces.identity, rng.choice(400, 4, replace=False))
        found.append(moved(some_faces(grown, keep), grown, Protocol(), seed))
    assert np.mean(found) <= 0.005
    assert max(found) <= 0.01
