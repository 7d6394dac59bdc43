from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.models.training.photo import examples
from icf.models.training.photo.examples import Plan, make, plans, read
from icf.tools.training_art.collections import Collection
from icf.tools.training_art.painterly import kuwahara, painted_over


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture with a transparent border."""
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 4)).astype(np.uint8)
    pixels[..., 3] = 0
    pixels[20:70, 20:100, 3] = 255
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), pixels)
    return path


def collection(
    files: list[Path], photographs: bool, held_out: bool, views: float
) -> Collection:
    return Collection("some", photographs, held_out, files, views)


def test_an_example_follows_from_its_plan_alone(picture: Path) -> None:
    for photograph, painted in ((False, False), (True, False), (True, True)):
        plan = Plan("some", picture, photograph, painted, 7)
        assert (make(plan) == make(plan)).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_every_example_is_a_picture(seed: int, photograph: bool, painted: bool) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (70, 90, 3)).astype(np.uint8)
    found = painted_over(pixels, np.random.default_rng(seed)) if painted else pixels
    assert found.shape == pixels.shape
    assert found.dtype == np.uint8


def test_a_photograph_to_train_on_is_shown_painted_over_too(picture: Path) -> None:
    found = list(plans([collection([picture], True, False, 10)], seed=1))
    drawings = [plan for plan in found if not plan.is_photograph]
    assert len(found) - len(drawings) == 10
    assert all(plan.painted for plan in drawings)
    assert len(drawings) == 10 * examples.PAINTED


def test_what_is_measured_on_is_never_painted_over(picture: Path) -> None:
    found = list(plans([collection([picture], True, True, 4)], seed=1))
    assert [plan.is_photograph for plan in found] == [True] * 4


def test_a_share_of_views_takes_a_share_of_the_pictures(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(400)]
    found = list(plans([collection(files, False, False, 0.25)], seed=1))
    assert 60 < len(found) < 140
    assert len({plan.seed for plan in found}) == len(found)


def test_another_seed_makes_other_examples(picture: Path) -> None:
    some = [collection([picture], False, False, 5)]
    assert not {p.seed for p in plans(some, 1)} & {p.seed for p in plans(some, 2)}


def test_sixteen_bits_and_grey_are_read_as_eight_bits_of_colour(tmp_path: Path) -> None:
    deep = np.full((9, 9), 0x8000, np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    found = read(tmp_path / "deep.png")
    assert found.shape == (9, 9, 4)
    assert (found[..., :3] == 0x80).all()


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        read(tmp_path / "gone.png")


def test_kuwahara_keeps_an_edge_and_takes_the_noise() -> None:
    random = np.random.default_rng(4)
    flat = np.full((60, 60, 3), 60, np.float64)
    flat[:, 30:] = 200
    noisy = np.clip(flat + random.normal(0, 12, flat.shape), 0, 255).astype(np.uint8)
    painted = kuwahara(noisy, random).astype(np.float64)
    inside = (slice(10, 50), slice(5, 22))
    assert painted[inside].std() < 0.6 * noisy[inside].std()
    assert painted[10:50, 35].mean() - painted[10:50, 24].mean() > 120
