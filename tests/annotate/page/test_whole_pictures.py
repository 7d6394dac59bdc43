from __future__ import annotations

import numpy as np

from icf.annotate.page.whole_pictures import with_boxes

GREY = np.full((200, 400, 3), 128, np.uint8)


def test_a_large_picture_is_scaled_down_with_its_boxes() -> None:
    shown = with_boxes(GREY, [(100.0, 40.0, 300.0, 160.0)], 200)
    assert shown.shape == (100, 200, 3)
    changed = np.argwhere((shown != 128).any(axis=2))
    assert abs(changed.min(axis=0) - [20, 50]).max() <= 4
    assert abs(changed.max(axis=0) - [80, 150]).max() <= 4
    assert (shown[50, 100] == 128).all()


def test_a_small_picture_keeps_its_size() -> None:
    assert (with_boxes(GREY, [], 1600) == GREY).all()


def test_the_picture_itself_is_not_drawn_on() -> None:
    before = GREY.copy()
    with_boxes(GREY, [(0.0, 0.0, 400.0, 200.0)], 1600)
    assert (before == GREY).all()


def test_a_box_beyond_the_edge_is_drawn_as_far_as_it_is_seen() -> None:
    shown = with_boxes(GREY, [(-50.0, -50.0, 100.0, 900.0)], 1600)
    assert (shown != 128).any()
