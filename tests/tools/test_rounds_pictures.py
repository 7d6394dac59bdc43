"""The second site's cast looks alike, and its versions leave every line in place."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from icf.tools.rounds_pictures.cast import ALBUMS, MEMBERS, cast
from icf.tools.rounds_pictures.make import SEED
from icf.tools.rounds_pictures.versions import VERSIONS, Pixels, Random
from icf.tools.training_art.styles import HELD_OUT


def test_members_of_an_album_differ_in_two_things_and_share_others() -> None:
    members = cast(SEED)
    assert len({each.name for each in members}) == len(ALBUMS) * MEMBERS
    for album, _ in ALBUMS:
        looks = [each.look for each in members if each.album == album]
        for one, other in itertools.combinations(looks, 2):
            assert sum(a != b for a, b in zip(one, other, strict=True)) >= 2
        alike = [len(set(values)) for values in zip(*looks, strict=True)]
        assert min(alike) <= 3


def test_no_style_of_the_cast_was_in_the_training_of_the_bundled_models() -> None:
    assert {style.name for _, style in ALBUMS} <= HELD_OUT


@pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.__name__)
def test_a_version_moves_nothing(version: Callable[[Pixels, Random], Pixels]) -> None:
    plain = np.full((96, 128, 3), 235, np.uint8)
    cv2.circle(plain, (80, 40), 20, (30, 60, 160), -1)
    drawn = version(plain, np.random.default_rng(3))
    assert drawn.shape == plain.shape
    assert drawn.dtype == np.uint8
    assert not np.array_equal(drawn, plain)
    # Where the disc was, the version's greys differ from those around it.
    inside = np.zeros((96, 128), np.uint8)
    cv2.circle(inside, (80, 40), 20, 1, 3)
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), cv2.CV_64F))
    detail = cv2.GaussianBlur(detail, (0, 0), 2)
    around = np.abs(cv2.Laplacian(cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY), cv2.CV_64F))
    around = cv2.GaussianBlur(around, (0, 0), 2)
    assert np.corrcoef(detail.ravel(), around.ravel())[0, 1] > 0.2


def test_a_version_is_the_same_for_the_same_seed() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for version in VERSIONS:
        first = version(pixels, np.random.default_rng(7))
        assert np.array_equal(first, version(pixels, np.random.default_rng(7)))
