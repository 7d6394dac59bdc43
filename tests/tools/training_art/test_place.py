from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.tools.training_art import place
from tests.tools.training_art import tiny

ART = tiny.art()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_a_background_has_the_asked_size(seed: int) -> None:
    made = place.background(ART, 96, np.random.default_rng(seed))
    assert made.shape == (96, 96, 3)
    assert made.dtype == np.uint8


def test_blending_covers_what_is_opaque_and_leaves_the_rest() -> None:
    canvas = np.full((20, 20, 3), 7, np.uint8)
    drawing = np.zeros((4, 4, 4), np.uint8)
    drawing[:2] = (200, 100, 50, 255)
    place.blend(canvas, drawing, np.array([[1.0, 0, 5], [0, 1, 6]]))
    assert (canvas[6:8, 5:9] == (200, 100, 50)).all()
    assert (canvas[9:] == 7).all()
    assert (canvas[:, :5] == 7).all()


def test_blending_outside_changes_nothing() -> None:
    canvas = np.full((10, 10, 3), 9, np.uint8)
    drawing = np.full((3, 3, 4), 255, np.uint8)
    place.blend(canvas, drawing, np.array([[1.0, 0, 50], [0, 1, -50]]))
    assert (canvas == 9).all()


def test_half_transparent_pixels_mix() -> None:
    canvas = np.zeros((3, 3, 3), np.uint8)
    drawing = np.full((3, 3, 4), 200, np.uint8)
    drawing[..., 3] = 128
    place.blend(canvas, drawing, np.array([[1.0, 0, 0], [0, 1, 0]]))
    assert (canvas == 100).all()


def test_balloons_leave_faces_free() -> None:
    face = (60.0, 60.0, 140.0, 140.0)
    for seed in range(30):
        canvas = np.full((200, 200, 3), 90, np.uint8)
        place.balloons(canvas, np.random.default_rng(seed), [face])
        assert (canvas[62:138, 62:138] == 90).all()
