from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.models import views

length = st.integers(1, 9000)
side = st.sampled_from([320, 640])


@given(height=length, width=length, side=side)
def test_tiles_cover_a_large_picture_and_lie_inside(
    height: int, width: int, side: int
) -> None:
    tiles = views.tiles(height, width, side)
    assert bool(tiles) == (max(height, width) > 2 * side)
    for start, end, length in (
        ([t.left for t in tiles], [t.right for t in tiles], width),
        ([t.top for t in tiles], [t.bottom for t in tiles], height),
    ):
        if not tiles:
            continue
        spans = sorted(set(zip(start, end, strict=True)))
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        for (_, before), (after, _) in pairwise(spans):
            assert after < before


@given(height=length, width=length, side=side)
def test_a_poster_has_few_tiles(height: int, width: int, side: int) -> None:
    tiles = views.tiles(height, width, side)
    assert len(tiles) <= 16
    assert all(max(t.width, t.height) <= side for t in tiles)


@pytest.mark.parametrize(("height", "width"), [(16000, 800), (700, 9000)])
def test_a_long_strip_is_shown_as_large_as_its_panels_or_nearly(
    height: int, width: int
) -> None:
    alone = views.whole(800, 800, 448).scale[0]
    tiles = views.tiles(height, width, 448)
    assert all(max(tile.scale) > 0.6 * alone for tile in tiles)


@given(height=length, width=length, side=side, data=st.data())
def test_a_face_of_a_quarter_of_a_tile_is_whole_in_one(
    height: int, width: int, side: int, data: st.DataObject
) -> None:
    tiles = views.tiles(height, width, side)
    if not tiles:
        return
    span = max(max(t.right - t.left, t.bottom - t.top) for t in tiles)
    # Two pixels as shown, at each side, count as cut.
    size = int(span * views.OVERLAP - 8 * span / side)
    x = data.draw(st.integers(0, max(0, width - size)))
    y = data.draw(st.integers(0, max(0, height - size)))
    x2, y2 = min(x + size, width), min(y + size, height)
    whole = []
    for tile in tiles:
        across, down = tile.scale
        shown = [
            (x - tile.left) * across,
            (y - tile.top) * down,
            (x2 - tile.left) * across,
            (y2 - tile.top) * down,
        ]
        inside = tile.left <= x and x2 <= tile.right
        inside &= tile.top <= y and y2 <= tile.bottom
        boxes = np.array([shown], np.float32)
        whole.append(inside and bool(views.is_whole(boxes, tile, height, width)[0]))
    assert any(whole)


@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_what_is_shown_has_sides_that_the_network_takes(
    height: int, width: int
) -> None:
    view = views.whole(height, width, 128)
    shown = views.render(np.zeros((height, width, 3), np.uint8), view)
    assert all(length > 0 and length % 64 == 0 for length in shown.shape[:2])
    assert max(view.width, view.height) <= 128
    assert view.width <= 2 * width
    assert view.height <= 2 * height
    assert tuple(shown[-1, -1]) in {(0, 0, 0), views.PADDING}


@given(
    height=st.integers(50, 3000),
    width=st.integers(50, 3000),
    x=st.floats(0, 0.9),
    y=st.floats(0, 0.9),
)
def test_boxes_go_back_to_where_they_came_from(
    height: int, width: int, x: float, y: float
) -> None:
    box = np.array([x * width, y * height, width, height], np.float32)
    for view in [views.whole(height, width, 320), *views.tiles(height, width, 320)]:
        across, down = view.scale
        corner = np.array([view.left, view.top] * 2, np.float32)
        shown = (box - corner) * np.array([across, down] * 2, np.float32)
        back = views.placed(shown[None], view, height, width)
        np.testing.assert_allclose(back[0], box, atol=0.01)


def test_a_picture_of_the_right_size_is_shown_untouched() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (128, 64, 3), np.uint8)
    view = views.whole(128, 64, 128)
    assert np.array_equal(views.render(picture, view), picture)


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ((10, 10, 30, 30), True),
        ((1, 10, 30, 30), False),  # at the left cut
        ((10, 0, 30, 30), True),  # at the top, where the picture ends too
        ((10, 10, 99, 30), False),  # at the right cut
        ((10, 10, 30, 50), False),  # at the lower cut
        ((110, 10, 130, 30), False),  # in the padding
        ((30, 10, 20, 30), False),  # without area
    ],
)
def test_a_face_that_a_tile_cuts_is_left_to_another_view(
    box: tuple[int, int, int, int], whole: bool
) -> None:
    tile = views.View(left=50, top=0, right=150, bottom=50, width=100, height=50)
    found = views.is_whole(np.array([box], np.float32), tile, 100, 200)
    assert found.tolist() == [whole]


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_views_and_overviews_leave_no_size_of_face_unanswered(
    height: int, width: int
) -> None:
    looks = views.whole_and_overview(height, width, 640, 256)
    longest = max(height, width)
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.95):
        face = share * longest
        shown = [face * max(look.width, look.height) / longest for look in looks]
        sizes = [np.array([[0, 0, side, side]], np.float32) for side in shown]
        answers = [
            bool(views.in_size_range(size, look)[0])
            for size, look in zip(sizes, looks, strict=True)
        ]
        assert any(answers)


def test_a_picture_that_is_small_anyway_has_one_view() -> None:
    [only] = views.whole_and_overview(100, 80, 640, 256)
    assert (only.width, only.height) == (160, 200)
    assert only.max_face == float("inf")


def test_without_an_overview_the_whole_view_answers_for_all() -> None:
    assert views.whole_and_overview(500, 500, 640, 0) == [views.whole(500, 500, 640)]
