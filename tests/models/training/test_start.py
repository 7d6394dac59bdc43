from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from icf.errors import BadModel, WrongUse
from icf.models.cards import bundled_path, save_card
from icf.models.networks import create
from icf.models.training.embedder.config import NetworkSettings
from icf.models.training.embedder.network import (
    groups_of,
    make_network,
    of_start,
    training_mode,
)
from icf.models.training.start import read_start, unfolded
from tests.models.onnx_files import card_for


def test_the_bundled_embedder_starts_equal_from_its_folded_weights() -> None:
    start = read_start(bundled_path("embedder"), "embed")
    # It raises where the embeddings are not those of the file.
    settings = of_start(NetworkSettings(frozen=0.35, frozen_norms=True), start.card)
    network = make_network(settings, 0, start)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(
        float(m.running_mean.abs().max()) == 0
        for m in norms
        if m.running_mean is not None
    )
    training_mode(network, NetworkSettings(frozen_norms=True))
    assert not any(norm.training for norm in norms)


def test_the_first_layers_of_the_body_are_frozen() -> None:
    settings = NetworkSettings(frozen=0.353, body_rate=0.1)
    network = make_network(settings, 0, None)
    frozen = {n for n, p in network.named_parameters() if not p.requires_grad}
    assert {name.split(".")[1] for name in frozen} == {str(n) for n in range(7)}
    body, rest = groups_of(network, settings)
    assert (body.rate, rest.rate) == (0.1, 1.0)
    trained = [p for p in network.parameters() if p.requires_grad]
    assert len(body.parameters) + len(rest.parameters) == len(trained)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(BadModel, match="another architecture"):
        unfolded(bundled_path("embedder"), create("resnet18", dim=8))
    with pytest.raises(BadModel, match="is for 'detect'"):
        read_start(bundled_path("detector"), "embed")


def test_a_model_from_outside_cannot_be_trained_further(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(b"weights")
    save_card(card_for(path, "embed", network=""), path.with_suffix(".json"))
    with pytest.raises(WrongUse, match="names no network"):
        read_start(path, "embed")


def test_first_weights_follow_from_the_seed() -> None:
    settings = NetworkSettings(name="resnet18", dim=8, side=32)
    one, same, other = (make_network(settings, seed, None) for seed in (1, 1, 2))
    name = "body.conv1.weight"
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])
