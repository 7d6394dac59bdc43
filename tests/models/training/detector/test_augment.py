from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.models.training.detector.augment import (
    augmented,
    cut,
    flipped,
    mosaic,
    recoloured,
)
from icf.models.training.detector.config import AugmentSettings, PictureSettings
from icf.models.training.detector.sample import Sample
from icf.models.views import PADDING

GREEN = (0, 255, 0)
#: Only what moves a picture, so that a face stays green.
MOVED = AugmentSettings(colour=0, grey=0, blur=0, jpeg=0)
ALL = AugmentSettings(colour=1, grey=1, blur=1, jpeg=1)


def green(*boxes: tuple[int, int, int, int], side: int = 160) -> Sample:
    """A picture whose faces are green, and nothing else is."""
    pixels = np.zeros((side, side * 2, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        pixels[y1:y2, x1:x2] = GREEN
    shape = np.array(boxes, np.float32).reshape(-1, 4)
    return Sample(
        pixels, shape, np.zeros(len(boxes), np.int64), np.zeros((0, 4), np.float32)
    )


def green_box(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[float]:
    """Where a picture is green: x1, y1, x2, y2, by the share of each edge's pixels."""
    there = (pixels[..., 1].astype(float) - pixels[..., 0]) / 255
    across, down = there.max(0), there.max(1)
    xs, ys = np.flatnonzero(across > 0.5), np.flatnonzero(down > 0.5)
    return [xs[0], ys[0], xs[-1] + 1, ys[-1] + 1]


@given(seed=st.integers(0, 2**32 - 1), side=st.sampled_from([64, 128, 192]))
def test_boxes_stay_on_their_faces(seed: int, side: int) -> None:
    random = np.random.default_rng(seed)
    x, y = int(random.integers(0, 250)), int(random.integers(0, 90))
    shown = augmented(
        green((x, y, x + 60, y + 60)), side, MOVED, PictureSettings(), random
    )
    assert shown.pixels.shape == (side, side, 3)
    for box in (*shown.boxes, *shown.ignored):
        if (box[2:] - box[:2]).min() >= 3:
            np.testing.assert_allclose(green_box(shown.pixels), box, atol=1.6)


def test_a_zoom_shows_a_face_at_the_sizes_that_are_asked_for() -> None:
    zoomed = MOVED.model_copy(update={"zoom": 1.0, "face": (20.0, 0.5), "stretch": 0.0})
    sides = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        shown = augmented(
            green((100, 40, 180, 120)), 128, zoomed, PictureSettings(), random
        )
        [box] = shown.boxes
        sides.append(float(box[2] - box[0]))
    assert min(sides) == pytest.approx(20, abs=3)
    assert max(sides) == pytest.approx(64, abs=3)


def test_a_face_that_is_cut_or_tiny_is_ignored_and_one_outside_is_gone() -> None:
    sample = green(
        (0, 0, 40, 40), (100, 0, 140, 40), (60, 60, 66, 66), (300, 0, 310, 9)
    )
    shown = cut(sample, (25.0, 0.0, 128.0, 128.0), 128, PictureSettings())
    # 15 of 40 columns, 28 of 40, 6 pixels, none.
    assert shown.boxes.tolist() == [[75, 0, 115, 40]]
    assert shown.ignored.tolist() == [[0, 0, 15, 40], [35, 60, 41, 66]]


def test_what_is_outside_of_the_picture_is_padding() -> None:
    shown = cut(green((0, 0, 9, 9), side=32), (-64.0, -64.0, 192.0, 192.0), 192, SMALL)
    assert shown.boxes.tolist() == [[64, 64, 73, 73]]
    assert (shown.pixels[:64] == PADDING).all()
    assert (shown.pixels[64 + 32 :] == PADDING).all()


SMALL = PictureSettings(min_face=0)


def test_a_flip_undoes_itself() -> None:
    sample = green((10, 20, 50, 70))
    turned = flipped(sample)
    assert turned.boxes.tolist() == [[270, 20, 310, 70]]
    assert green_box(turned.pixels) == [270, 20, 310, 70]
    assert np.array_equal(flipped(turned).pixels, sample.pixels)


def test_a_mosaic_has_the_faces_of_all_its_parts() -> None:
    parts = [
        cut(green((8 * i, 4, 8 * i + 9, 20)), (0.0, 0.0, 64.0, 64.0), 64, SMALL)
        for i in range(4)
    ]
    joined = mosaic(parts)
    assert joined.pixels.shape == (128, 128, 3)
    assert joined.boxes[:, :2].tolist() == [[0, 4], [72, 4], [16, 68], [88, 68]]
    for box in joined.boxes.astype(int).tolist():
        x1, y1, x2, y2 = box
        assert (joined.pixels[y1:y2, x1:x2] == GREEN).all()


def test_colours_change_and_nothing_moves() -> None:
    random = np.random.default_rng(3)
    pixels = cv2.GaussianBlur(
        random.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 4
    ).astype(np.uint8)
    changed = recoloured(pixels, ALL, random)
    assert changed.shape == pixels.shape
    assert not np.array_equal(changed, pixels)
    shift, _ = cv2.phaseCorrelate(
        pixels.mean(2).astype(np.float64), changed.mean(2).astype(np.float64)
    )
    assert np.abs(shift).max() < 0.5


def test_the_same_random_numbers_give_the_same_picture() -> None:
    one, other = (
        augmented(green((10, 20, 50, 70)), 64, ALL, SMALL, np.random.default_rng(5))
        for _ in range(2)
    )
    assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.boxes, other.boxes)
