"""Drawings with boxes, and figures whose face is painted over."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from icf.tools.training_art import compose, drawings, faceless
from icf.tools.training_art.compose import Shares
from icf.tools.training_art.drawings import Drawing
from icf.tools.training_art.faceless import painted_over
from tests.tools.training_art import tiny

RED = (255, 0, 0)
FACE = (60, 40, 90, 80)


@pytest.fixture
def drawing() -> Drawing:
    """A blue picture whose face is red."""
    pixels = np.zeros((200, 120, 3), np.uint8)
    pixels[..., 2] = 200
    x1, y1, x2, y2 = FACE
    pixels[y1:y2, x1:x2] = RED
    nothing = np.zeros((0, 4), np.float32)
    return Drawing(pixels, np.array([FACE], np.float32), nothing)


def red_box(pixels: np.ndarray) -> list[int]:
    """The box around what is red."""
    rows, columns = np.nonzero((pixels[..., 0] > 128) & (pixels[..., 2] < 100))
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("seed", range(12))
def test_boxes_stay_on_the_faces_of_what_is_cut_out(
    drawing: Drawing, seed: int
) -> None:
    shown = drawings.cut(drawing, 128, np.random.default_rng(seed))
    assert shown.pixels.shape == (128, 128, 3)
    [box] = np.clip(shown.faces, 0, 128)
    if (box[2:] - box[:2]).min() < 4:
        return
    ground = shown.pixels[0, 0]
    if (ground == shown.pixels[0, -1]).all() and ground[0] > 128 and ground[2] < 100:
        return  # what lies around the drawing is red too
    assert red_box(shown.pixels) == pytest.approx(box.tolist(), abs=2)


def test_most_cuts_show_the_face_in_sizes_of_all_kinds(drawing: Drawing) -> None:
    widths = [
        float(cut.faces[0, 2] - cut.faces[0, 0])
        for seed in range(60)
        for cut in [drawings.cut(drawing, 128, np.random.default_rng(seed))]
    ]
    assert min(widths) < 25
    assert max(widths) > 70


@pytest.mark.parametrize("seed", range(16))
def test_a_face_that_is_painted_over_is_gone_and_the_rest_stays(seed: int) -> None:
    head = np.random.default_rng(0).integers(0, 256, (96, 96, 4)).astype(np.uint8)
    face = (28.0, 30.0, 68.0, 70.0)
    made = painted_over(head, face, np.random.default_rng(seed))
    x1, y1, x2, y2 = map(int, face)
    changed = (made[..., :3] != head[..., :3]).any(2)
    assert changed[y1:y2, x1:x2].mean() > 0.3
    far = np.ones(changed.shape, bool)
    far[y1 - 18 : y2 + 18, x1 - 18 : x2 + 18] = False
    assert not changed[far].any()
    assert (made[..., 3] == head[..., 3]).all()


def test_what_lies_beside_a_face_is_in_the_picture() -> None:
    assert faceless._beside((100, 100), (10, 10, 90, 90)) == []
    assert faceless._beside((100, 100), (0, 40, 20, 60)) == [
        (0.0, pytest.approx(28)),
        (pytest.approx(28), 0.0),
        (0.0, pytest.approx(-28)),
    ]


class TestScenes:
    """What `compose` makes of them."""

    @pytest.mark.parametrize("seed", range(4))
    def test_figures_without_a_face_have_no_box(
        self, drawing: Drawing, seed: int
    ) -> None:
        art = dataclasses.replace(
            tiny.art(), objects=[tiny.picture(90)], drawings=[drawing]
        )
        random = np.random.default_rng(seed)
        scene = compose.compose(art, 128, random, Shares(faceless=1))
        assert len(scene.boxes) == len(scene.kinds) == 0

    def test_a_share_of_drawings_is_of_drawings(self, drawing: Drawing) -> None:
        art = dataclasses.replace(tiny.art(), drawings=[drawing])
        scenes = [
            compose.compose(art, 96, np.random.default_rng(s), Shares(drawings=1))
            for s in range(6)
        ]
        assert sum(len(scene.boxes) for scene in scenes) >= 4
        assert all(len(scene.boxes) <= 1 for scene in scenes)

    def test_without_shares_scenes_are_those_of_the_first_generation(
        self, drawing: Drawing
    ) -> None:
        more = dataclasses.replace(
            tiny.art(), objects=[tiny.picture(90)], drawings=[drawing]
        )
        first, same = (
            compose.compose(art, 96, np.random.default_rng(5))
            for art in (tiny.art(), more)
        )
        assert (first.pixels == same.pixels).all()
