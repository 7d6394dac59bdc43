"""One more face moves what it touches, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from icf.dataset.splits.make import Problem, make_splits
from icf.dataset.splits.parts import IntArray, Role
from icf.dataset.splits.protocol import Protocol
from icf.dataset.splits.roles import Ability, draw_roles
from tests.dataset.splits.worlds import REACH, World, cast_of, places, some_faces

#: The demo has 522 confirmed faces of 44 characters, 9 to 15 each.
DEMO = 9 + np.arange(44) % 7


def demo() -> Problem:
    problem = World(int(DEMO.sum()), len(DEMO), shared=0.05).draw()
    identity = np.repeat(np.arange(len(DEMO)), DEMO)
    return replace(
        problem,
        cast=cast_of([f"{row // 6}/{row}" for row in range(len(DEMO))]),
        faces=replace(problem.faces, identity=identity),
    )


def before(grown: Problem, share: float, new: str, rng: np.random.Generator) -> Problem:
    """What a catalogue was before it grew by a share of faces or identities."""
    everybody = len(grown.faces.key) if new == "faces" else len(grown.cast.key)
    count = max(1, round(everybody * share / (1 + share)))
    gone = rng.choice(everybody, count, replace=False)
    of_face = np.arange(everybody) if new == "faces" else grown.faces.identity
    return some_faces(grown, ~np.isin(of_face, gone))


def moved(one: dict[int, str], two: dict[int, str]) -> tuple[float, float]:
    """The shares of the old faces in another part, and in another part or in none."""
    pairs = [(part, two[key]) for key, part in one.items() if two[key] != part]
    return (
        sum("unused" not in pair for pair in pairs) / len(one),
        len(pairs) / len(one),
    )


@pytest.mark.parametrize("new", ["faces", "identities"])
@pytest.mark.parametrize(
    ("grown", "seeds"),
    [
        pytest.param(demo(), 30, id="of the demo's size"),
        pytest.param(World(15_000, 300, albums=40).draw(), 3, id="of 15,000 faces"),
    ],
)
def test_no_seed_moves_more_than_one_in_a_hundred_faces_between_parts(
    grown: Problem, seeds: int, new: str
) -> None:
    rng = np.random.default_rng(3)
    by_one: list[tuple[float, float]] = []
    by_five: list[tuple[float, float]] = []
    for seed in range(seeds):
        now = places(grown, make_splits(grown, Protocol(), REACH, seed))
        for share, found in ((0.01, by_one), (0.05, by_five)):
            was = before(grown, share, new, rng)
            then = places(was, make_splits(was, Protocol(), REACH, seed))
            found.append(moved(then, now))
    assert max(parts for parts, _ in by_five) <= 0.01
    assert max(any_part for _, any_part in by_one) <= 0.01
    assert np.mean([any_part for _, any_part in by_five]) <= 0.01


def test_who_else_there_is_and_how_many_faces_they_have_gives_nobody_another_role() -> (
    None
):
    rng = np.random.default_rng(5)
    names = [f"{row // 6}/{row}" for row in range(400)]
    counts = rng.integers(1, 12, 400)
    for seed in range(30):
        few = np.sort(rng.choice(400, 300, replace=False))
        grew = np.where(rng.random(400) < 0.2, counts + 1, counts)
        one = roles_of([names[row] for row in few], counts[few], seed)
        two = roles_of(names, grew, seed)[few]
        same = (counts[few] >= 6) | (grew[few] == counts[few])
        np.testing.assert_array_equal(one[same], two[same])
        assert {*Role} - {Role.NEW, Role.OUT} == {*np.unique(two)}


def roles_of(names: list[str], counts: IntArray, seed: int) -> IntArray:
    ability = Ability(counts, lambda row, need: bool(counts[row] >= need))
    return draw_roles(cast_of(names), ability, Protocol(), seed)
