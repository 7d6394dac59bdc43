"""Sharpness and hashes: what they measure, and what must not change them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from icf import measures
from icf.images import decode
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
    grey = cv2.cvtColor(noise, cv2.COLOR_RGB2GRAY)
    assert measures.sharpness(noise) == cv2.Laplacian(grey, cv2.CV_64F).var()


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


def test_phash_is_the_one_that_imagehash_computes_up_to_the_resizing() -> None:
    distances = []
    for seed in range(40):
        picture = busy(seed)
        theirs = int(str(imagehash.phash(Image.fromarray(picture))), 16)
        distances.append(((measures.phash(picture) ^ theirs) & (2**64 - 1)).bit_count())
    assert np.mean(distances) <= 1.5
    assert max(distances) <= 6
