from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadModel
from icf.models.cards import new_card, save_card
from icf.models.detection import Detector
from icf.models.formats.yolov8 import YoloV8
from icf.models.runtime.network import open_network
from icf.models.runtime.onnx_header import read_header
from tests.models.formats.published_files import BOX, logistic, shown_to, yolo
from tests.models.onnx_files import BLUE, DIM_RED, RED, painted

#: The score of a wholly red cell: pixels are in 0..1.
SURE = logistic(1, 0, 0)


def opened(path: Path, **changes: float) -> Detector:
    """Open a file with the card that the format makes of it."""
    published = YoloV8.published(read_header(path), open_network(path), changes)
    card = new_card(path, published.task, "yolov8", {**published.parameters, **changes})
    save_card(card, path.with_suffix(".json"))
    return Detector.open(path)


@pytest.mark.parametrize("layout", ["v8", "v5", "v10"])
def test_each_layout_gives_the_planted_face_its_place_and_score(
    tmp_path: Path, layout: str
) -> None:
    detector = opened(yolo(tmp_path / "faces.onnx", layout=layout), tiles=0)
    picture = painted(640, 640, {(64, 32, 32): RED})
    [[face]] = detector.detect([picture])
    assert face.kind == "cartoon"
    # The box is 48 pixels wide around the middle of the cell, 80 and 48.
    assert face.box == pytest.approx((56, 24, 56 + BOX, 24 + BOX))
    assert face.score == pytest.approx(SURE / (2 if layout == "v5" else 1), abs=1e-5)


def test_channels_are_red_first_and_pixels_are_divided_by_255(tmp_path: Path) -> None:
    detector = opened(yolo(tmp_path / "faces.onnx"), min_score=0.01)
    patches = {(64, 64, 32): DIM_RED, (320, 320, 32): BLUE}
    [faces] = detector.detect([painted(640, 640, patches)])
    by_place = {face.box[:2]: face.score for face in faces}
    # Of overlapping cells, the grey neighbours of these, the best one is left.
    assert by_place[56, 56] == pytest.approx(logistic(210 / 255, 0, 0), abs=1e-5)
    assert by_place[312, 312] == pytest.approx(logistic(0, 0, 1), abs=1e-5)


@pytest.mark.parametrize("side", [640, "any"])
@pytest.mark.parametrize(("height", "width"), [(400, 1280), (1280, 400), (100, 320)])
def test_boxes_of_pictures_that_are_no_squares_are_in_their_pixels(
    tmp_path: Path, side: int | str, height: int, width: int
) -> None:
    detector = opened(yolo(tmp_path / "faces.onnx", side=side, batch="n"), tiles=0)
    assert detector.card.parameters["side"] == 640
    shown = 640 / max(height, width)
    place, size = round(64 / shown), round(32 / shown)
    picture = painted(height, width, {(place, 0, size): RED})
    [[face]] = detector.detect([picture])
    expected = np.array([56, 0, 56 + BOX, 40]) / shown
    assert face.box == pytest.approx(tuple(expected), abs=0.5)


def test_what_is_filled_up_is_grey_of_114(tmp_path: Path) -> None:
    detector = opened(yolo(tmp_path / "faces.onnx"), min_score=0.01)
    batch = shown_to(detector, painted(300, 640, {}))
    assert batch.shape == (1, 3, 640, 640)
    np.testing.assert_allclose(batch[0, :, 300:], 114 / 255, atol=1e-6)
    np.testing.assert_allclose(batch[0, :, :300], 120 / 255, atol=1e-6)


def test_classes_that_are_no_faces_are_left_out(tmp_path: Path) -> None:
    path = yolo(tmp_path / "parts.onnx", names="{0: 'hand', 1: 'head'}", classes=2)
    detector = opened(path, tiles=0)
    assert detector.card.parameters["cartoon"] == 1
    [[face]] = detector.detect([painted(640, 640, {(64, 32, 32): RED})])
    assert face.score == pytest.approx(SURE, abs=1e-5)
    [faces] = opened(path, tiles=0, cartoon=0).detect([painted(640, 640, {})])
    assert faces == []


def test_a_class_can_be_human_faces(tmp_path: Path) -> None:
    path = yolo(tmp_path / "two.onnx", names="['head', 'photo']", classes=2)
    detector = opened(path, tiles=0, human=1)
    [[face]] = detector.detect([painted(640, 640, {(64, 32, 32): RED})])
    assert face.kind == "human"


def test_without_a_class_for_faces_it_says_which_classes_there_are(
    tmp_path: Path,
) -> None:
    path = yolo(tmp_path / "cars.onnx", names="{0: 'car', 1: 'person'}", classes=2)
    with pytest.raises(BadModel, match=r"knows 0 car, 1 person.*--parameter cartoon"):
        opened(path)


def test_names_of_several_words_tell_faces_of_people_from_drawn_ones(
    tmp_path: Path,
) -> None:
    names = "{0: 'hand', 1: 'human_face', 2: 'Anime Face'}"
    numbers = opened(yolo(tmp_path / "a.onnx", names=names, classes=3)).card.parameters
    assert (numbers["cartoon"], numbers["human"]) == (2, 1)
    # One that is called just so goes before others.
    names = "{0: 'head', 1: 'face', 2: 'cat_face'}"
    numbers = opened(yolo(tmp_path / "b.onnx", names=names, classes=3)).card.parameters
    assert (numbers["cartoon"], numbers["human"]) == (0, -1)
    names = "{0: 'human_face'}"
    path = yolo(tmp_path / "c.onnx", names=names)
    numbers = opened(path, cartoon=0).card.parameters
    assert (numbers["cartoon"], numbers["human"]) == (0, -1)


def test_of_several_classes_of_faces_one_is_to_be_said(tmp_path: Path) -> None:
    names = "{0: 'FACE_FEMALE', 1: 'FEET', 2: 'FACE_MALE'}"
    path = yolo(tmp_path / "parts.onnx", names=names, classes=3)
    with pytest.raises(BadModel, match=r"several .* are faces: .*2 FACE_MALE.*cartoon"):
        opened(path)
    assert opened(path, cartoon=2).card.parameters["cartoon"] == 2


def test_a_file_of_free_sides_is_shown_pictures_of_the_side_that_it_states(
    tmp_path: Path,
) -> None:
    stated = {"imgsz": "[320, 416]"}
    path = yolo(tmp_path / "faces.onnx", side="any", metadata=stated)
    assert opened(path).card.parameters["side"] == 320
    path = yolo(tmp_path / "odd.onnx", side="any", metadata={"imgsz": "large"})
    assert opened(path).card.parameters["side"] == 640


@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ("AGPL-3.0 License (https://ultralytics.com/license)", "AGPL-3.0"),
        ("MIT License", "MIT"),
        ("Apache License 2.0", "Apache License 2.0"),
        ("", ""),
    ],
)
def test_the_licence_that_the_file_states_is_known(
    tmp_path: Path, stated: str, licence: str
) -> None:
    path = yolo(tmp_path / "faces.onnx", metadata={"license": stated})
    published = YoloV8.published(read_header(path), open_network(path), {})
    assert published.licence == licence


def test_a_file_without_names_is_of_as_many_classes_as_its_shape_has(
    tmp_path: Path,
) -> None:
    detector = opened(yolo(tmp_path / "faces.onnx", names=None), tiles=0)
    assert detector.card.parameters["classes"] == 1
    [[face]] = detector.detect([painted(640, 640, {(64, 32, 32): RED})])
    assert face.score == pytest.approx(SURE, abs=1e-5)


def test_the_side_of_a_card_cannot_be_larger_than_the_input(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="can be 640 at most; its card says 1280"):
        opened(yolo(tmp_path / "faces.onnx"), side=1280)
