from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.errors import BadModel
from icf.models.cards import bundled_path, load_card, save_card
from icf.models.photo import SIDE, VIEWS, PhotoJudge, views
from icf.settings import FilterSettings
from tests.models.onnx_files import card_for

CARD = bundled_path("photo").with_suffix(".json")


@pytest.fixture(scope="module")
def judge() -> PhotoJudge:
    return PhotoJudge.bundled()


def cartoon(side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A face of flat colours with outlines."""
    pixels = np.full((side, side, 3), (250, 240, 210), np.uint8)
    middle, unit = (side // 2, side // 2), side // 8
    cv2.circle(pixels, middle, 3 * unit, (240, 190, 150), -1, cv2.LINE_AA)
    cv2.circle(pixels, middle, 3 * unit, (20, 20, 20), max(1, side // 80), cv2.LINE_AA)
    for x in (-unit, unit):
        cv2.circle(
            pixels, (middle[0] + x, middle[1] - unit), unit // 2, (20, 20, 90), -1
        )
    return pixels


@pytest.mark.parametrize("side", [90, 300, 1200])
def test_a_cartoon_is_no_photograph(judge: PhotoJudge, side: int) -> None:
    assert judge.probability(cartoon(side)) < 0.5


def test_the_same_pixels_are_judged_the_same(judge: PhotoJudge) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    assert judge.probability(picture) == judge.probability(picture.copy())


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 255))
def test_every_size_is_judged_from_0_to_1(height: int, width: int, grey: int) -> None:
    picture = np.full((height, width, 3), grey, np.uint8)
    assert views(picture).shape == (VIEWS, 3, SIDE, SIDE)
    assert 0 <= PhotoJudge.bundled().probability(picture) <= 1


def test_the_second_view_is_the_middle_as_it_is() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    middle = views(picture)[1].transpose(1, 2, 0)
    assert (middle == picture[86 : 86 + SIDE, 136 : 136 + SIDE]).all()


def test_the_other_views_are_near_the_corners_as_they_are() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (328, 428, 3)).astype(np.uint8)
    found = views(picture)[2:].transpose(0, 2, 3, 1)
    places = [(30, 45), (30, 255), (170, 45), (170, 255)]
    assert len(found) == len(places)
    for part, (top, left) in zip(found, places, strict=True):
        assert (part == picture[top : top + SIDE, left : left + SIDE]).all()


def test_a_small_picture_is_mirrored_not_enlarged() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (50, 300, 3)).astype(np.uint8)
    middle = views(picture)[1].transpose(1, 2, 0)
    assert (middle[:50] == picture[:, 86 : 86 + SIDE]).all()
    assert (middle[50:100] == middle[:50][::-1]).all()


def test_the_setting_is_as_careful_as_the_card_asks() -> None:
    card = load_card(CARD)
    assert FilterSettings().max_photo >= card.parameters["max_photo"]
    assert card.figures["all drawings"]["lost"] < 0.005


def test_a_network_that_judges_no_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.onnx"
    path.write_bytes(bundled_path("embedder").read_bytes())
    save_card(card_for(path, "judge", parameters={}), path.with_suffix(".json"))
    with pytest.raises(BadModel, match=r"expected \[n, 6, 3, 128, 128\] and one"):
        PhotoJudge.open(path)


def test_weights_that_are_not_the_cards_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.onnx"
    path.write_bytes(bundled_path("photo").read_bytes()[:-1])
    path.with_suffix(".json").write_bytes(CARD.read_bytes())
    with pytest.raises(BadModel, match="bytes; its card promises"):
        PhotoJudge.open(path)
