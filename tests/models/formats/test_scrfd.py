from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadModel
from icf.models.cards import new_card, save_card
from icf.models.detection import Detector
from icf.models.formats.scrfd import Scrfd
from icf.models.runtime.network import open_network
from icf.models.runtime.onnx_header import read_header
from tests.models.formats.published_files import (
    DISTANCES,
    ccip_features,
    insightface_detector,
    logistic,
    shown_to,
)
from tests.models.onnx_files import BLUE, RED, painted


def prepared(*colour: int) -> list[float]:
    """A colour as insightface shows it to its detectors."""
    return [(each - 127.5) / 128 for each in colour]


def opened(path: Path, form: str = "scrfd", **changes: float) -> Detector:
    """Open a file with the card that the format makes of it."""
    published = Scrfd.published(read_header(path), open_network(path), changes)
    card = new_card(path, published.task, form, {**published.parameters, **changes})
    save_card(card, path.with_suffix(".json"))
    return Detector.open(path)


@pytest.mark.parametrize("form", ["scrfd", "retinaface"])
@pytest.mark.parametrize("side", [None, 640])
@pytest.mark.parametrize(
    ("points", "batched"), [(True, False), (False, False), (True, True), (False, True)]
)
def test_every_shape_of_insightface_gives_the_planted_face(
    tmp_path: Path, form: str, side: int | None, points: bool, batched: bool
) -> None:
    path = insightface_detector(
        tmp_path / "det.onnx", points=points, batched=batched, side=side
    )
    detector = opened(path, form, tiles=0)
    [[face]] = detector.detect([painted(640, 640, {(64, 40, 8): RED})])
    left, top, right, bottom = (8 * each for each in DISTANCES)
    # The place of a cell is its upper left corner.
    assert face.box == pytest.approx((64 - left, 40 - top, 64 + right, 40 + bottom))
    assert face.score == pytest.approx(logistic(*prepared(*RED)), abs=1e-5)
    assert face.kind == "cartoon"


def test_channels_are_red_first(tmp_path: Path) -> None:
    path = insightface_detector(tmp_path / "det.onnx")
    blue = painted(64, 64, {(0, 0, 64): BLUE})
    [faces] = opened(path, tiles=0, min_score=0.001).detect([blue])
    assert faces[0].score == pytest.approx(logistic(*prepared(*BLUE)), abs=1e-5)
    [faces] = opened(path, tiles=0, bgr=1).detect([blue])
    assert faces[0].score == pytest.approx(logistic(*prepared(*RED)), abs=1e-5)


@pytest.mark.parametrize("side", [None, 640])
@pytest.mark.parametrize(("height", "width"), [(400, 1280), (1280, 400), (100, 320)])
def test_boxes_of_pictures_that_are_no_squares_are_in_their_pixels(
    tmp_path: Path, side: int | None, height: int, width: int
) -> None:
    detector = opened(insightface_detector(tmp_path / "det.onnx", side=side), tiles=0)
    shown = 640 / max(height, width)
    place, size = round(64 / shown), round(8 / shown)
    [[face]] = detector.detect([painted(height, width, {(place, place, size): RED})])
    expected = np.array([56, 48, 88, 96]) / shown
    assert face.box == pytest.approx(tuple(expected), abs=0.5)


def test_what_is_filled_up_is_black(tmp_path: Path) -> None:
    detector = opened(insightface_detector(tmp_path / "det.onnx", side=640))
    batch = shown_to(detector, painted(300, 640, {}))
    np.testing.assert_allclose(batch[0, :, 300:], -127.5 / 128, atol=1e-6)
    np.testing.assert_allclose(batch[0, :, :300], -7.5 / 128, atol=1e-6)


def test_what_it_finds_can_count_as_human(tmp_path: Path) -> None:
    detector = opened(insightface_detector(tmp_path / "det.onnx"), tiles=0, kind=1)
    [[face]] = detector.detect([painted(640, 640, {(64, 40, 8): RED})])
    assert face.kind == "human"


def test_another_network_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"gives 1 outputs .*expected .*6, 9, 10 or 15"):
        opened(ccip_features(tmp_path / "feat.onnx"))
