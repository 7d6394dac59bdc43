"""Crops that are changed as other pictures of a character would be."""

from __future__ import annotations

import numpy as np

from icf.models.training.embedder.augment import augmented
from icf.models.training.embedder.config import AugmentSettings

STILL = AugmentSettings(
    flip=0, shift=0, scale=0, turn=0, colour=0, grey=0, blur=0, jpeg=0, hide=0
)


def test_other_palettes_turn_hues_and_leave_greys() -> None:
    crop = np.zeros((16, 32, 3), np.uint8)
    crop[:, :16] = (180, 90, 70)
    crop[:, 16:] = 120
    settings = STILL.model_copy(update={"palette": 1.0})
    seen = set()
    for seed in range(8):
        random = np.random.default_rng(seed)
        changed = augmented(crop[:, :16], 1.0, 16, settings, random)
        seen.add(tuple(changed[8, 8].tolist()))
        grey = augmented(crop[:, 16:], 1.0, 16, settings, np.random.default_rng(seed))
        assert np.abs(grey.astype(int) - 120).max() <= 1
        # A rotation about the axis of greys keeps the sum of the channels.
        assert abs(int(changed[8, 8].sum()) - 340) <= 3
    assert len(seen) == 8


def test_nothing_changes_where_all_is_switched_off() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    same = augmented(crop, 1.0, 20, STILL, np.random.default_rng(1))
    assert np.array_equal(same, crop)
