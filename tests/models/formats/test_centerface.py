from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadModel
from icf.models.cards import bundled_path, load_card, new_card, save_card
from icf.models.detection import Detector
from icf.models.formats.base import Opening
from icf.models.formats.centerface import CenterFace, read
from icf.models.formats.merged import merged
from icf.models.runtime.network import Runtime, cpu_session, open_network
from icf.models.runtime.onnx_header import read_header
from tests.models.formats.published_files import (
    OFFSETS,
    SIZES,
    centerface,
    insightface_detector,
    logistic,
)
from tests.models.onnx_files import RED, colour_detector, painted

#: Height and width of a planted face.
HEIGHT, WIDTH = 4 * np.exp(SIZES)


def opened(path: Path, runtime: Runtime = "onnxruntime", **changes: float) -> Detector:
    """Open a file with the card that the format makes of it."""
    published = CenterFace.published(read_header(path), open_network(path), changes)
    numbers = {**published.parameters, **changes}
    save_card(
        new_card(path, published.task, "centerface", numbers), path.with_suffix(".json")
    )
    return Detector.open(path, runtime=runtime)


def planted(left: int, top: int) -> tuple[float, float, float, float]:
    """The box of the face in the cell at a place."""
    y, x = top + 2 + 4 * OFFSETS[0], left + 2 + 4 * OFFSETS[1]
    return x - WIDTH / 2, y - HEIGHT / 2, x + WIDTH / 2, y + HEIGHT / 2


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("height", "width"), [(640, 640), (320, 640), (1280, 640)])
def test_a_file_that_states_one_size_finds_faces_in_any(
    tmp_path: Path, runtime: Runtime, height: int, width: int
) -> None:
    # Small pictures are shown larger: the cell is four pixels as shown.
    scale = min(640 / max(height, width), 2)
    cell = {(int(20 / scale), int(12 / scale), int(4 / scale)): RED}
    detector = opened(centerface(tmp_path / "cf.onnx"), runtime)
    [[face]] = detector.detect([painted(height, width, cell)])
    expected = np.clip(np.array(planted(20, 12)) / scale, 0, None)
    assert face.box == pytest.approx(tuple(expected), abs=1e-3)
    assert face.score == pytest.approx(logistic(1, 0, 0), abs=1e-3)
    assert face.kind == "cartoon"


def test_neighbouring_cells_of_a_face_are_one_face(tmp_path: Path) -> None:
    # The boxes of two cells overlap by .54 across, those of far ones not at all.
    picture = painted(640, 640, {(40, 40, 8): RED, (400, 400, 4): RED})
    form = CenterFace.open(
        centerface(tmp_path / "cf.onnx"),
        new_card(tmp_path / "cf.onnx", "detect", "centerface", {"kind": 1.0}),
        Opening(),
    )
    [found] = form.detect(picture[None], 0.5)
    assert len(found.scores) == 3
    assert set(found.kinds) == {1}


def test_a_size_without_bound_is_no_endless_box() -> None:
    heat = np.full((1, 1, 1, 1), 0.9, np.float32)
    huge = np.full((1, 2, 1, 1), 1e4, np.float32)
    [found] = read([heat, huge, np.zeros_like(huge)], 0.5, kind=0)
    assert np.isfinite(found.boxes).all()


def test_another_network_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"expected .*scores \(1 channel\), sizes \(2\)"):
        opened(insightface_detector(tmp_path / "det.onnx"))


class TestMergedWithOurs:
    """Two networks in one file."""

    @pytest.fixture
    def detector(self, tmp_path: Path) -> Detector:
        """Ours sees red and blue cells of 8 pixels, CenterFace red ones of 4."""
        own = colour_detector(tmp_path / "own.onnx")
        path = tmp_path / "both.onnx"
        path.write_bytes(merged(own, centerface(tmp_path / "cf.onnx")))
        numbers = {"own": 1.0, "other": 1.0, "bias": 3.0, "min_score": 0.3}
        shown = {"side": 640.0, "overview": 0.0, "tiles": 0.0}
        card = new_card(path, "detect", "icf-centerface-onnx", {**numbers, **shown})
        save_card(card, path.with_suffix(".json"))
        return Detector.open(path)

    def test_what_only_one_finds_has_a_lower_score(self, detector: Detector) -> None:
        # A cell of 4 pixels is too small for ours, a blue one none to CenterFace.
        cells = {(80, 80, 4): RED, (320, 320, 8): (0, 0, 255)}
        [faces] = detector.detect([painted(640, 640, cells)])
        assert {face.kind for face in faces} == {"cartoon", "human"}
        blue = next(face for face in faces if face.kind == "human")
        assert blue.box == pytest.approx((316, 316, 332, 332))
        # A score of .996, and the lowest by the other.
        own, floor = 0.1 * 255 - 20, np.log(0.02 / 0.98)
        assert blue.score == pytest.approx(1 / (1 + np.exp(-(own + floor + 3))), 1e-3)

    def test_one_file_gives_what_two_give(self, tmp_path: Path) -> None:
        other = centerface(tmp_path / "cf.onnx")
        path = tmp_path / "both.onnx"
        path.write_bytes(merged(bundled_path("detector"), other))
        picture = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 128))
        batch = picture.astype(np.float32)
        both = open_network(path).run(batch)
        own = open_network(bundled_path("detector")).run(batch)
        freed = cpu_session(other).get_inputs()[0].shape
        assert freed == [10, 3, 32, 32]  # what is published stays as it is
        for mine, expected in zip(both[:2], own, strict=True):
            np.testing.assert_array_equal(mine, expected)
        assert [each.shape[1:] for each in both[2:]] == [
            (channels, 16, 32) for channels in (1, 2, 2, 10)
        ]

    def test_the_same_two_files_give_the_same_bytes(self, tmp_path: Path) -> None:
        own, other = bundled_path("detector"), centerface(tmp_path / "cf.onnx")
        assert merged(own, other) == merged(own, other)
        assert load_card(own.with_suffix(".json")).format == "icf-detector-onnx"
