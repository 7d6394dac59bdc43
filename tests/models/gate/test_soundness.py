"""A trained model, as the trainer leaves it, is tried before it is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.embedding import Embedder
from icf.models.gate.soundness import check_embedder
from icf.models.networks import create
from icf.models.training.embedder.config import EmbedderConfig, NetworkSettings
from icf.models.training.embedder.export import export
from icf.models.training.task import Facts, Measured

#: One of timm's, of few layers, which are exported in no time.
NETWORK, SIDE, DIM = "timm:test_resnet", 32, 16


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with options, exported with its weights next to it."""
    torch.manual_seed(0)
    network = create(NETWORK, dim=DIM, side=SIDE).eval()
    parts = {f"net.{key}": value for key, value in network.state_dict().items()}
    measured = Measured({}, {"crop_rate": 0.5, "slope": 10.0, "intercept": -5.0})
    settings = NetworkSettings(name=NETWORK, dim=DIM, side=SIDE)
    folder = tmp_path_factory.mktemp("exported")
    facts = Facts("", (), "icf-train embedder", 0, measured, parts)
    export(network, folder, facts, EmbedderConfig(network=settings), SIDE, {})
    return folder / "embedder.onnx"


@pytest.fixture(scope="module")
def crops() -> list[NDArray[np.uint8]]:
    """Faces of noise, each of another colour."""
    random = np.random.default_rng(0)
    bright = random.integers(0, 128, (6, 1, 1, 3))
    return list((bright + random.integers(0, 128, (6, 40, 40, 3))).astype(np.uint8))


def changed(exported: Path, folder: Path, times: float) -> Path:
    """The model, with other weights next to it."""
    for path in exported.parent.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = safetensors.numpy.load_file(exported.with_suffix(".safetensors"))
    last = max(key for key in weights if weights[key].ndim == 2)
    random = np.random.default_rng(0).normal(1, times, weights[last].shape)
    weights[last] = (weights[last] * random).astype(np.float32)
    card = json.loads(exported.with_suffix(".json").read_text())
    about = {"about": json.dumps({"sha256": card["sha256"]})}
    path = folder / exported.name
    safetensors.numpy.save_file(weights, path.with_suffix(".safetensors"), about)
    return path


@pytest.mark.slow
def test_an_export_that_equals_its_network_is_sound(
    exported: Path, crops: list[NDArray[np.uint8]]
) -> None:
    embedder = Embedder.open(exported)
    assert embedder.dim == DIM
    check_embedder(embedder, exported, crops)


@pytest.mark.slow
def test_an_export_of_other_weights_is_not(
    exported: Path, crops: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    path = changed(exported, tmp_path, 2.0)
    with pytest.raises(BadModel, match=r"other vectors than the network.*cosine"):
        check_embedder(Embedder.open(path), path, crops)
    check_embedder(Embedder.open(path), changed(exported, tmp_path, 1e-6), crops)
