from __future__ import annotations

import numpy as np
import pytest

from icf.tools.training_art import paint

EFFECTS = [effect for effect, _ in paint.EFFECTS]
PICTURE = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize("effect", [*EFFECTS, paint.coloured_photograph])
def test_an_effect_keeps_the_geometry_and_changes_the_picture(effect: object) -> None:
    assert callable(effect)
    kept = PICTURE.copy()
    drawn = effect(PICTURE, np.random.default_rng(3))
    assert drawn.shape == PICTURE.shape
    assert drawn.dtype == np.uint8
    assert (kept == PICTURE).all()
    assert (drawn != PICTURE).any()


def test_redrawing_depends_on_the_seed_alone() -> None:
    first, second = (paint.redrawn(PICTURE, np.random.default_rng(7)) for _ in range(2))
    assert (first == second).all()


def test_a_grey_picture_has_one_channel_up_to_a_tint() -> None:
    drawn = paint.grey(PICTURE, np.random.default_rng(0)).astype(float)
    for channel in (1, 2):
        assert (
            np.corrcoef(drawn[..., 0].ravel(), drawn[..., channel].ravel())[0, 1] > 0.99
        )
