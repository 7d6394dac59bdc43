"""Weights of PyTorch, as they are published, become ONNX files of the same numbers."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision

from icf.errors import BadModel
from icf.models.cards import load_card
from icf.models.embedding import Embedder
from icf.models.formats.base import Pixels
from icf.models.networks import create
from icf.models.networks.published_weights import load_backbone
from icf.models.outside.backbone import architecture_of
from icf.models.outside.retinanet import network_of
from tests.app.program import call

timm = pytest.importorskip("timm")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    call("init", tmp_path / "space")
    return tmp_path / "space"


def added(space: Path, source: Path, form: str, *words: str) -> Path:
    """Add a model; return its weights."""
    done = call("-C", space, "model", "add", source, "--as", form, *words, "--json")
    return space / "models" / str(json.loads(done.stdout)["file"])


def noise(side: int) -> Pixels:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (side, side, 3), np.uint8)


def prepared(picture: Pixels, network: Any) -> torch.Tensor:
    """A picture as timm shows it to a network."""
    config = network.pretrained_cfg
    pixels = torch.from_numpy(picture / 255).permute(2, 0, 1).float()
    mean, std = (torch.tensor(config[key])[:, None, None] for key in ("mean", "std"))
    return ((pixels - mean) / std)[None]


@pytest.mark.slow
def test_a_backbone_gives_the_features_that_timm_gives(
    tmp_path: Path, space: Path
) -> None:
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False).eval()
    source = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(network.state_dict(), source)
    path = added(space, source, "timm:test_resnet", "--parameter", "side=64")
    picture = noise(64)
    with torch.no_grad():
        maps = network.forward_features(prepared(picture, network))
        wanted = network.forward_head(maps, pre_logits=True)[0].numpy()
    found = Embedder.open(path).embed([picture])[0]
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-4)
    assert load_card(path.with_suffix(".json")).parameters["calibrated"] == 0


@pytest.mark.slow
def test_dinov2_gives_the_features_that_timm_gives(
    tmp_path: Path, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two of its twelve blocks, which are alike."""
    torch.manual_seed(0)
    name = "vit_small_patch14_dinov2"
    shallow = functools.partial(timm.models.model_entrypoint(name), depth=2)
    monkeypatch.setitem(timm.models._registry._model_entrypoints, name, shallow)
    network = timm.create_model(name, pretrained=False, num_classes=0, img_size=28)
    for part, value in network.named_parameters():
        if part.endswith("gamma"):  # untrained layers add next to nothing
            torch.nn.init.ones_(value)
    source = tmp_path / "dinov2.pth"
    torch.save({**network.state_dict(), "mask_token": torch.zeros(1, 384)}, source)
    path = added(space, source, "dinov2", "--parameter", "side=28")
    card = load_card(path.with_suffix(".json"))
    assert card.architecture == f"timm's {name}, its 384 features"
    picture = noise(28)
    with torch.no_grad():
        wanted = network.eval()(prepared(picture, network))[0].numpy()
    found = Embedder.open(path).embed([picture])[0]
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-4)


@pytest.mark.parametrize(
    ("length", "registers", "name"),
    [
        (768, False, "vit_base_patch14_dinov2"),
        (1024, True, "vit_large_patch14_reg4_dinov2"),
        (1536, False, "vit_giant_patch14_dinov2"),
    ],
)
def test_dinov2_is_recognised_by_its_weights(
    tmp_path: Path, length: int, registers: bool, name: str
) -> None:
    state = {
        "cls_token": torch.zeros(1, 1, length),
        "mask_token": torch.zeros(1, length),
    }
    if registers:
        state["register_tokens"] = torch.zeros(1, 4, length)
    path = tmp_path / "dinov2.pth"
    torch.save(state, path)
    assert architecture_of(path) == name
    assert timm.is_model(name)


def test_dinov2s_registers_load_as_they_are_published(tmp_path: Path) -> None:
    torch.manual_seed(0)
    name = "vit_small_patch14_reg4_dinov2"
    ours = timm.create_model(name, pretrained=False, num_classes=0, img_size=28)
    state = ours.state_dict()
    # DINOv2's own names; its positions begin with that of the class token.
    state["register_tokens"] = state.pop("reg_token")
    state["mask_token"] = torch.zeros(1, 384)
    position = torch.full((1, 1, 384), 0.25)
    state["pos_embed"] = torch.cat([position, state["pos_embed"]], 1)
    path = tmp_path / "dinov2.pth"
    torch.save(state, path)
    network: Any = create(f"timm:{architecture_of(path)}", side=28)
    load_backbone(network, path)
    found = network.body.state_dict()
    torch.testing.assert_close(found["reg_token"], state["register_tokens"])
    torch.testing.assert_close(found["cls_token"], state["cls_token"] + position)
    torch.testing.assert_close(found["pos_embed"], state["pos_embed"][:, 1:])


def test_weights_of_another_backbone_are_refused(tmp_path: Path, space: Path) -> None:
    source = tmp_path / "weights.pth"
    torch.save(torchvision.models.resnet18().state_dict(), source)
    with pytest.raises(BadModel, match="so it is not DINOv2's; for another backbone"):
        added(space, source, "dinov2")
    with pytest.raises(BadModel, match="the weights of another network"):
        added(space, source, "timm:resnet34", "--parameter", "side=64")
    with pytest.raises(BadModel, match="it is no RetinaNet of torchvision"):
        added(space, source, "torchvision-retinanet")


def test_torchvisions_retinanet_keeps_the_labels_that_are_faces(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    # Under torchvision's names, as `tests/models/networks` holds.
    published: Any = create("retinanet-resnet18-v2").eval()
    head = published.head.classification_head
    head.num_classes, head.cls_logits = 4, torch.nn.Conv2d(256, 4 * 9, 3, padding=1)
    source = tmp_path / "mine.pth"
    torch.save(published.state_dict(), source)
    with pytest.raises(BadModel, match="tells 4 labels apart; say which are faces"):
        network_of(source, {})
    with pytest.raises(BadModel, match="tells the labels 0 to 3 apart; there is no 9"):
        network_of(source, {"cartoon": 9})
    picture = torch.from_numpy(noise(64)).permute(2, 0, 1).float()[None]
    for cartoon, human in ((2, 1), (3, -1)):
        given = {"cartoon": cartoon, "human": human}
        name, network, kinds = network_of(source, given)
        assert (name, kinds) == ("retinanet-resnet18-v2", (cartoon, human))
        with torch.no_grad():
            wanted, boxes = published(picture)
            found, offsets = network.eval()(picture)
        torch.testing.assert_close(offsets, boxes)
        torch.testing.assert_close(found[..., 0], wanted[..., cartoon])
        if human >= 0:
            torch.testing.assert_close(found[..., 1], wanted[..., human])
        else:
            assert (found[..., 1] == -20).all()
