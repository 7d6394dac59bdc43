"""Models and stores are opened once, and again where others took their place."""

from __future__ import annotations

from pathlib import Path

from icf.filter import resources
from tests.models.onnx_files import colour_detector, colour_embedder


def test_a_model_is_opened_once(tmp_path: Path) -> None:
    path = colour_detector(tmp_path / "eyes.onnx")
    assert resources.detector(model=path) is resources.detector(model=path)


def test_a_model_that_a_training_replaced_is_opened_anew(tmp_path: Path) -> None:
    eyes = colour_detector(tmp_path / "eyes.onnx")
    before = resources.detector(model=eyes).model_hash
    colour_detector(tmp_path / "new.onnx", bias=-10).replace(eyes)
    (tmp_path / "new.json").replace(eyes.with_suffix(".json"))
    assert resources.detector(model=eyes).model_hash != before


def test_an_embedder_is_known_by_its_file_too(tmp_path: Path) -> None:
    path = colour_embedder(tmp_path / "memory.onnx")
    first = resources.embedder(model=path)
    assert resources.embedder(model=path) is first
    colour_embedder(path)
    assert resources.embedder(model=path) is not first
