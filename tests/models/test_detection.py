from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadModel
from icf.models import views
from icf.models.cards import save_card
from icf.models.detection import SAME_FACE, Detection, Detector
from icf.models.overlap import iou
from tests.models.onnx_files import (
    BLUE,
    DIM_RED,
    RED,
    card_for,
    colour_detector,
    colour_embedder,
    painted,
)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    folder = tmp_path_factory.mktemp("detector")
    return Detector.open(colour_detector(folder / "detector.onnx"))


def box_of(face: Detection) -> list[float]:
    return [round(edge, 3) for edge in face.box]


def test_a_face_is_found_where_it_is(detector: Detector) -> None:
    picture = painted(192, 320, {(64, 40, 8): RED})
    [[face]] = detector.detect([picture])
    assert box_of(face) == [60, 36, 76, 52]
    assert (face.kind, round(face.score, 3)) == ("cartoon", 0.996)


def test_boxes_are_in_pixels_of_the_picture_not_of_what_the_network_saw(
    detector: Detector,
) -> None:
    # 640 x 384 is shown at 320 x 192: a patch of 16 pixels fills one cell.
    picture = painted(384, 640, {(128, 80, 16): RED})
    [[face]] = detector.detect([picture])
    assert box_of(face) == [120, 72, 152, 104]


def test_an_upright_picture_is_padded_to_the_right(detector: Detector) -> None:
    # Shown at 200 x 320, which is padded to 256 x 320.
    picture = painted(640, 400, {(384, 16, 16): RED})
    [[face]] = detector.detect([picture])
    assert box_of(face) == [376, 8, 400, 40]


def test_a_small_picture_is_shown_at_twice_its_size_at_most(detector: Detector) -> None:
    picture = painted(64, 96, {(32, 24, 4): RED})
    [[face]] = detector.detect([picture])
    assert box_of(face) == [30, 22, 38, 30]


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (7, 2000)])
def test_any_size_can_be_shown(detector: Detector, shape: tuple[int, int]) -> None:
    for face in detector.detect([painted(*shape, {})], 0.0)[0]:
        x1, y1, x2, y2 = face.box
        assert 0 <= x1 < x2 <= shape[1]
        assert 0 <= y1 < y2 <= shape[0]


def test_boxes_end_where_the_picture_does(detector: Detector) -> None:
    picture = painted(192, 320, {(0, 0, 8): RED, (312, 184, 8): BLUE})
    [faces] = detector.detect([picture])
    assert sorted(map(box_of, faces)) == [[0, 0, 12, 12], [308, 180, 320, 192]]


def test_the_least_score_is_the_cards_unless_another_is_asked_for(
    tmp_path: Path,
) -> None:
    path = colour_detector(tmp_path / "detector.onnx", min_score=0.8)
    detector = Detector.open(path)
    picture = painted(192, 320, {(64, 40, 8): DIM_RED})
    assert detector.detect([picture]) == [[]]
    [[face]] = detector.detect([picture], 0.7)
    assert face.score == pytest.approx(0.731, abs=1e-3)


def test_faces_come_best_first(detector: Detector) -> None:
    picture = painted(192, 320, {(64, 40, 8): DIM_RED, (160, 80, 8): BLUE})
    [faces] = detector.detect([picture])
    assert [face.kind for face in faces] == ["human", "cartoon"]


def test_two_boxes_on_one_face_are_one_and_of_one_kind(detector: Detector) -> None:
    # Neighbouring cells: boxes of 16 pixels that are 8 apart share a third.
    apart = painted(192, 320, {(64, 40, 8): RED, (72, 40, 8): BLUE})
    assert len(detector.detect([apart])[0]) == 2
    # Shown larger than the cells, one colour fills two of them half.
    [faces] = detector.detect([painted(192, 320, {(64, 40, 24): RED})])
    boxes = np.array([face.box for face in faces], np.float32)
    overlaps = iou(boxes, boxes) - np.eye(len(boxes))
    assert overlaps.max() <= SAME_FACE


def test_each_picture_has_its_own_list(detector: Detector) -> None:
    pictures = [
        painted(192, 320, {(64, 40, 8): RED}),
        painted(100, 100, {}),
        painted(192, 320, {(160, 80, 8): BLUE}),
    ]
    found = detector.detect(pictures)
    assert [len(faces) for faces in found] == [1, 0, 1]
    assert found == [detector.detect([picture])[0] for picture in pictures]
    assert detector.detect([]) == []


def test_small_faces_of_a_large_page_are_found_in_its_tiles(tmp_path: Path) -> None:
    height, width = 2000, 1400
    tiles = views.tiles(height, width, 320)
    # A patch of 16 pixels fills a cell of a tile, and a third of one of the whole page.
    corners = [(tile.left + 10 * 16, tile.top + 12 * 16) for tile in tiles]
    page = painted(height, width, {(x, y, 16): RED for x, y in corners})
    whole = Detector.open(colour_detector(tmp_path / "whole.onnx"))
    tiled = Detector.open(colour_detector(tmp_path / "tiled.onnx", tiles=1.0))
    assert whole.detect([page], 0.9) == [[]]
    found = sorted(box_of(face) for face in tiled.detect([page], 0.9)[0])
    assert found == sorted([x - 8, y - 8, x + 24, y + 24] for x, y in corners)


def test_tiles_do_not_change_a_picture_that_is_not_large(tmp_path: Path) -> None:
    picture = painted(384, 640, {(128, 80, 16): RED})
    whole = Detector.open(colour_detector(tmp_path / "whole.onnx"))
    tiled = Detector.open(colour_detector(tmp_path / "tiled.onnx", tiles=1.0))
    assert whole.detect([picture]) == tiled.detect([picture])


def test_the_hash_is_that_of_the_weights(detector: Detector) -> None:
    assert detector.model_hash == detector.card.sha256
    assert len(detector.model_hash) == 64


def test_an_embedder_is_refused(tmp_path: Path) -> None:
    path = colour_embedder(tmp_path / "embedder.onnx")
    with pytest.raises(BadModel, match=r"is for 'embed'; expected a model to 'detect'"):
        Detector.open(path)


def test_a_network_of_other_outputs_is_refused(tmp_path: Path) -> None:
    path = colour_embedder(tmp_path / "detector.onnx")
    parameters = {"min_score": 0.5, "side": 320.0, "overview": 0.0, "tiles": 0.0}
    card = card_for(path, "detect", parameters=parameters)
    save_card(card, path.with_suffix(".json"))
    with pytest.raises(BadModel, match=r"gives rows of \[3\] numbers"):
        Detector.open(path)


def test_what_is_not_a_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"not a network")
    parameters = {"min_score": 0.5, "side": 320.0, "overview": 0.0, "tiles": 0.0}
    card = card_for(path, "detect", parameters=parameters)
    save_card(card, path.with_suffix(".json"))
    with pytest.raises(BadModel, match="is not a model for ONNX Runtime"):
        Detector.open(path)
