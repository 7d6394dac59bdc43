"""Sharpness and hashes: what they measure, and what must not change them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images import decode, measures
from icf.images.grey import Grey
from tests.core.pictures import drawing, encoded

SIGNED = st.integers(-(2**63), 2**63 - 1)


@given(SIGNED, SIGNED)
def test_hamming_counts_the_bits_that_differ(one: int, other: int) -> None:
    expected = bin((one ^ other) & (2**64 - 1)).count("1")
    found = measures.hamming(np.array([one, other], np.int64), other)
    assert found.tolist() == [expected, 0]


def busy(seed: int) -> measures.Pixels:
    """A picture of 400 x 300 with something to see in every part of it."""
    cells = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return np.asarray(cv2.resize(cells, (400, 300)), np.uint8)


@pytest.mark.parametrize("hashed", [measures.phash, measures.dhash])
def test_a_copy_in_another_size_and_format_stays_within_reach(
    hashed: Callable[[measures.Pixels], int],
) -> None:
    for seed in range(10):
        large = busy(seed)
        small = cv2.resize(large, (200, 150), interpolation=cv2.INTER_AREA)
        copy = decode(encoded(small, "JPEG", quality=60)).pixels
        original = np.array([hashed(large)])
        assert measures.hamming(original, hashed(copy))[0] <= 10
        assert measures.hamming(original, hashed(busy(seed + 100)))[0] > 10


def test_hashes_of_a_drawing_are_the_same_for_ever() -> None:
    ramp = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)
    pixels = np.repeat(ramp[..., None], 3, axis=2)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    assert measures.dhash(pixels) == -1
    assert measures.dhash(mirrored) == 0


def test_sharpness_falls_with_blur_and_does_not_depend_on_the_size() -> None:
    checks = (np.indices((200, 200)).sum(0) // 20 % 2 * 255).astype(np.uint8)
    sharp = np.repeat(checks[..., None], 3, axis=2)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 6), np.uint8)
    twice = np.asarray(cv2.resize(sharp, None, fx=2, fy=2), np.uint8)
    assert measures.sharpness(blurred) < measures.sharpness(sharp) / 10
    assert measures.sharpness(twice) == pytest.approx(
        measures.sharpness(sharp), rel=0.5
    )


def test_a_small_face_is_not_enlarged_before_it_is_measured() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    assert measures.sharpness(noise) == measures.sharpness_paper(noise)


def test_the_papers_sharpness_is_that_of_the_crop_as_it_is() -> None:
    pixels = busy(3)
    grey = Grey.of(pixels)
    expected = cv2.Laplacian(grey.pixels, cv2.CV_64F).var()
    assert measures.sharpness_paper(pixels) == pytest.approx(expected)
    assert measures.sharpness_paper(grey) == pytest.approx(expected)
    assert measures.sharpness(pixels) > 2 * expected


@given(
    st.integers(101, 700),
    st.integers(1, 700),
    st.integers(0, 9),
    st.sampled_from([1, 9]),
)
def test_a_crop_is_reduced_by_the_area_of_its_pixels(
    longer: int, shorter: int, seed: int, grain: int
) -> None:
    longer, shorter = max(longer, shorter), min(longer, shorter)
    random = np.random.default_rng(seed)
    grains = random.integers(0, 256, (shorter // grain + 1, longer // grain + 1))
    grey = np.asarray(cv2.resize(grains.astype(np.uint8), (longer, shorter)), np.uint8)
    size = (100, max(1, round(shorter * 100 / longer)))
    reduced = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    expected = cv2.Laplacian(reduced, cv2.CV_64F).var()
    # Where a mean is between two values, rounding may go either way.
    assert measures.sharpness(Grey(grey)) == pytest.approx(expected, rel=0.02, abs=0.5)


def test_a_crop_too_large_for_sums_is_measured_like_any_other() -> None:
    grey = np.asarray(cv2.resize(busy(5)[..., 0], (4000, 3000)), np.uint8)
    reduced = cv2.resize(grey, (100, 75), interpolation=cv2.INTER_AREA)
    expected = cv2.Laplacian(reduced, cv2.CV_64F).var()
    assert measures.sharpness(Grey(grey)) == pytest.approx(expected, rel=0.02)


def test_tone_is_the_mean_and_the_deviation_of_the_grey_values() -> None:
    grey = Grey.of(busy(4)).pixels
    expected = (grey.mean(), grey.std())
    pixels = np.repeat(grey[..., None], 3, axis=2)
    assert measures.tone(pixels) == pytest.approx(expected)
    assert measures.tone(np.zeros((9, 9, 3), np.uint8)) == (0.0, 0.0)


def test_colours_of_equal_grey_have_contrast() -> None:
    pixels = np.full((20, 20, 3), (150, 100, 100), np.uint8)
    pixels[5:15, 5:15] = (90, 130, 103)
    grey = Grey.of(pixels).pixels
    assert np.ptp(grey) <= 1
    assert measures.tone(pixels).contrast > 15
    assert measures.tone(pixels).brightness == pytest.approx(grey.mean(), abs=0.5)


def test_the_pixel_hash_tells_pictures_of_equal_bytes_apart() -> None:
    wide = drawing(64, 32)
    high = wide.reshape(64, 32, 3)
    assert measures.pixel_hash(wide) == measures.pixel_hash(wide.copy())
    assert measures.pixel_hash(wide) != measures.pixel_hash(high)


@pytest.mark.parametrize(("spread", "flat"), [(0, True), (2, True), (3, False)])
def test_one_colour_is_flat_and_an_almost_flat_picture_is_not(
    spread: int, flat: bool
) -> None:
    pixels = np.full((20, 20, 3), 100, np.uint8)
    pixels[5, 5, 1] += spread
    assert measures.is_flat(pixels) is flat
