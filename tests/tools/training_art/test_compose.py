from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.tools.training_art import compose
from icf.tools.training_art.compose import turned_box
from tests.tools.training_art import tiny

ART = tiny.art()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), side=st.sampled_from([128, 192, 256]))
def test_every_box_of_a_scene_lies_in_it_and_has_an_area(seed: int, side: int) -> None:
    scene = compose.compose(ART, side, np.random.default_rng(seed))
    assert scene.pixels.shape == (side, side, 3)
    assert scene.pixels.dtype == np.uint8
    assert len(scene.boxes) == len(scene.kinds)
    for boxes in (scene.boxes, scene.ignored):
        assert ((boxes >= 0) & (boxes <= side)).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert set(scene.kinds.tolist()) <= {0, 1}


def test_a_scene_depends_on_its_seed_alone() -> None:
    first, second = (
        compose.compose(ART, 128, np.random.default_rng((3, 4))) for _ in range(2)
    )
    assert (first.pixels == second.pixels).all()
    assert (first.boxes == second.boxes).all()


def test_some_scenes_have_no_face_and_some_have_many() -> None:
    scenes = [
        compose.compose(ART, 192, np.random.default_rng(seed)) for seed in range(40)
    ]
    counts = [len(scene.boxes) for scene in scenes]
    assert min(counts) == 0
    assert max(counts) >= 3


def test_a_pasted_face_is_where_its_box_says() -> None:
    random = np.random.default_rng(5)
    canvas = np.zeros((200, 200, 3), np.uint8)
    placed = compose.paste(canvas, tiny.head(), 80, np.array([100.0, 90.0]), random)
    x1, y1, x2, y2 = placed.box
    assert (x1 + x2) / 2 == pytest.approx(100, abs=1)
    assert (y1 + y2) / 2 == pytest.approx(90, abs=1)
    inside = canvas[int(y1) + 20 : int(y2) - 20, int(x1) + 20 : int(x2) - 20]
    assert (inside.sum(2) > 0).mean() > 0.9


def test_a_photograph_is_a_human_face_unless_it_is_repainted() -> None:
    random = np.random.default_rng(0)
    photograph = tiny.head("photograph")
    canvas = np.zeros((200, 200, 3), np.uint8)
    at = np.array([100.0, 100.0])
    kinds = [compose.paste(canvas, photograph, 60, at, random).human for _ in range(40)]
    assert 0 < sum(kinds) < 40
    assert not compose.paste(canvas, tiny.head(), 60, at, random).human


@given(
    angle=st.floats(-3.2, 3.2),
    scale=st.floats(0.1, 5),
    x=st.floats(-50, 50),
    y=st.floats(-50, 50),
)
def test_a_turned_box_just_holds_the_turned_ellipse(
    angle: float, scale: float, x: float, y: float
) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([scale * turn, (x, y)])
    around = np.linspace(0, 2 * np.pi, 721)
    ellipse = np.stack([30 + 20 * np.cos(around), 40 + 10 * np.sin(around)])
    moved = matrix[:, :2] @ ellipse + matrix[:, 2:]
    wanted = (*moved.min(1), *moved.max(1))
    assert turned_box(matrix, (10, 30, 50, 50)) == pytest.approx(wanted, abs=0.01)
