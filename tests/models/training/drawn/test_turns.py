"""A detector is shown what it took for faces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from icf.models.detection import Detection, Detector
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.drawn import mining, turns
from icf.models.training.drawn.art import ArtReader
from icf.models.training.train import Trained
from icf.tools.training_art.compose import Scene
from tests.models.onnx_files import colour_detector
from tests.tools.art_cache import write_cache
from tests.tools.training_art import tiny


class SeesOne:
    """A detector that finds one box in every picture."""

    def detect(self, pictures: list[Any], least: float) -> list[list[Detection]]:
        return [[Detection((40.0, 50.0, 60.0, 80.0), 0.4, "cartoon")] for _ in pictures]


@pytest.fixture
def mined(tmp_path: Path) -> Path:
    detector = cast(Detector, SeesOne())
    assert mining.mine(detector, tiny.art(), tmp_path / "mined", 3, 5) == 5
    return tmp_path / "mined"


def test_a_false_box_is_cut_out_with_what_is_around_it(mined: Path) -> None:
    shapes = {found.shape for found in mining.read(mined)}
    assert shapes == {(40, 27, 4)}


def test_what_was_mined_is_not_mined_again(mined: Path) -> None:
    assert mining.mine(cast(Detector, None), tiny.art(), mined, 3, 5) == 5


def test_a_box_that_may_be_a_face_is_left_out() -> None:
    scene = Scene(
        np.zeros((99, 99, 3), np.uint8),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
        np.array([[50, 60, 90, 95]], np.float32),
    )
    assert mining._unsure(scene, Detection((40.0, 50.0, 60.0, 80.0), 0.4, "cartoon"))
    assert not mining._unsure(scene, Detection((0.0, 0.0, 9.0, 9.0), 0.4, "cartoon"))


class TestTurns:
    """`in_turns`."""

    @pytest.fixture(autouse=True)
    def small(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Little art, and nothing fetched."""
        monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
        write_cache(tmp_path)

    def taken(
        self, tmp_path: Path, count: int, start: Path | None = None
    ) -> list[tuple[DetectorConfig, Any, Any]]:
        """What each turn was given, of a run of 7 steps."""
        config = DetectorConfig.model_validate(
            {"loop": {"steps": 7}, "scenes": {"turns": count, "searched": 3}}
        )
        given = []

        def train(now: DetectorConfig, folder: Path, start: Path | None) -> Trained:
            given.append((now, folder, start))
            folder.mkdir(parents=True, exist_ok=True)
            path = colour_detector(folder / "detector.onnx", bias=-9)
            return cast(Trained, _Made(path))

        made = turns.in_turns(config, tmp_path / "run", train, start, lambda line: None)
        assert made.path == given[-1][1] / "detector.onnx"
        return given

    def test_each_goes_on_from_the_last_and_is_shown_its_faults(
        self, tmp_path: Path
    ) -> None:
        (first, here, none), (second, there, start) = self.taken(tmp_path, 2)
        assert (first.loop.steps, second.loop.steps) == (3, 3)
        assert (none, start) == (None, here / "detector.onnx")
        assert first.scenes.mined == ""
        assert Path(second.scenes.mined).is_dir()
        assert here != there

    def test_one_turn_is_a_run_as_any(self, tmp_path: Path) -> None:
        [(config, folder, start)] = self.taken(tmp_path, 1)
        assert (config.loop.steps, folder, start) == (7, tmp_path / "run", None)

    @pytest.mark.parametrize("count", [1, 2])
    def test_the_first_goes_on_from_what_is_asked(
        self, tmp_path: Path, count: int
    ) -> None:
        first = tmp_path / "first.onnx"
        (_, here, start), *later = self.taken(tmp_path, count, first)
        assert start == first
        assert [given[2] for given in later] == [here / "detector.onnx"][: count - 1]

    def test_art_that_is_drawn_again_is_the_same_data(self, tmp_path: Path) -> None:
        reader = ArtReader(tmp_path / "drawn")
        before = reader.fingerprint()
        path = next((tmp_path / "drawn").rglob("*.png"))
        os.utime(path, (1, 1))
        (tmp_path / "drawn/sources").mkdir()
        (tmp_path / "drawn/sources/package.whl").write_bytes(b"another package")
        assert reader.fingerprint() == before
        path.write_bytes(b"another picture")
        assert reader.fingerprint() != before


class _Made:
    """What a training returns, as far as turns look at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
