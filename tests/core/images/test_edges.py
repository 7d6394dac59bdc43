"""The sharpness of edges: what must not change it, and what must."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images.edges import Edges, measure_edges
from icf.images.measures import Pixels
from icf.settings import FilterSettings

LIMIT = FilterSettings().min_edge_sharpness
Drawing = Callable[[int], Pixels]


def lines(side: int) -> Pixels:
    """A face with outlines, dark on light."""
    pixels = np.full((side, side, 3), (240, 225, 200), np.uint8)
    ink, width = (40, 30, 30), max(1, side // 60)
    places = ((0.5, 0.5, 0.4, width), (0.35, 0.42, 0.07, -1), (0.65, 0.42, 0.07, -1))
    for x, y, radius, thickness in places:
        centre = (int(side * x), int(side * y))
        cv2.circle(pixels, centre, int(side * radius), ink, thickness, cv2.LINE_AA)
    mouth, axes = (side // 2, int(side * 0.62)), (side // 6, side // 10)
    cv2.ellipse(pixels, mouth, axes, 0, 0, 180, ink, width)
    return pixels


def areas(side: int) -> Pixels:
    """A face of flat colours without outlines."""
    pixels = np.full((side, side, 3), (90, 150, 190), np.uint8)
    colours = ((230, 180, 140), (250, 250, 250), (250, 250, 250), (190, 60, 70))
    places = ((0.5, 0.5, 0.4), (0.35, 0.42, 0.08), (0.65, 0.42, 0.08), (0.5, 0.7, 0.1))
    for colour, (x, y, radius) in zip(colours, places, strict=True):
        centre = (int(side * x), int(side * y))
        cv2.circle(pixels, centre, int(side * radius), colour, -1, cv2.LINE_AA)
    return pixels


def of_equal_grey(side: int) -> Pixels:
    """The same with all colours equally light."""
    pixels = areas(side).astype(np.float64)
    grey = pixels @ (0.299, 0.587, 0.114)
    return np.clip(pixels - grey[..., None] + 128, 0, 255).astype(np.uint8)


def exposed(pixels: Pixels, share: float) -> Pixels:
    return (pixels * share).astype(np.uint8)


def flatter(pixels: Pixels) -> Pixels:
    """With a range of 15 grey values, as seen through fog."""
    return (pixels * (15 / 255) + 120).astype(np.uint8)


def blurred(pixels: Pixels, share: float) -> Pixels:
    sigma = share * pixels.shape[0]
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def noisy(pixels: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, deviation, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def enlarged(pixels: Pixels, side: int, how: int = cv2.INTER_CUBIC) -> Pixels:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=how), np.uint8)


DRAWINGS = pytest.mark.parametrize("drawing", [lines, areas, of_equal_grey])
SIDES = pytest.mark.parametrize("side", [60, 110, 150, 260])


@DRAWINGS
@SIDES
def test_contrast_changes_nothing_and_a_sharp_drawing_stays_sharp(
    drawing: Drawing, side: int
) -> None:
    sharp = measure_edges(drawing(side)).sharpness
    assert sharp > LIMIT
    for changed in (exposed(drawing(side), 0.2), flatter(drawing(side))):
        assert measure_edges(changed).sharpness == pytest.approx(sharp, rel=0.2)
    assert measure_edges(noisy(drawing(side), 4)).sharpness > LIMIT


@DRAWINGS
@SIDES
def test_blur_takes_sharpness_away_also_where_there_is_noise(
    drawing: Drawing, side: int
) -> None:
    soft = blurred(drawing(side), 0.03)
    for changed in (soft, exposed(soft, 0.2), noisy(soft, 4), noisy(soft, 12)):
        assert measure_edges(changed).sharpness < LIMIT


@DRAWINGS
@pytest.mark.parametrize("side", [110, 150, 260])
@pytest.mark.parametrize(
    "how", [cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST]
)
def test_an_enlarged_drawing_has_the_resolution_from_before(
    drawing: Drawing, side: int, how: int
) -> None:
    large = enlarged(drawing(36), side, how)
    measured = measure_edges(large)
    assert measured.sharpness < LIMIT
    assert 22 < measured.resolution < 72
    own = measure_edges(drawing(side)).resolution
    assert own > min(0.7 * side, 140)


@given(st.integers(1, 40), st.integers(1, 300), st.integers(0, 3))
def test_a_crop_of_any_shape_and_contrast_has_both_measures(
    height: int, width: int, spread: int
) -> None:
    noise = np.random.default_rng(height).integers(
        100, 101 + spread, (height, width, 3), np.uint8
    )
    before = noise.copy()
    for crop in (noise, np.ascontiguousarray(noise.transpose(1, 0, 2))):
        measured = measure_edges(crop)
        assert measured == Edges(*(float(value) for value in measured))
        assert 0 <= measured.sharpness < 5
        assert 0 <= measured.resolution <= min(height, width)
    assert np.array_equal(noise, before)
