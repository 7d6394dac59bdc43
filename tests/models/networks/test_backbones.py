from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

import icf.models
from icf.errors import BadModel, WrongUse
from icf.models.networks.body_embedder import BodyEmbedder, pooled_head
from icf.models.networks.insightface_resnet import improved_resnet
from icf.models.networks.published_weights import load_backbone, read_state
from icf.models.training.export import check_equal, to_onnx

BACKBONES = [
    *("densenet169", "resnet18", "resnet50", "se-resnet50", "mobilenetv2"),
    *("mobilenetv3-large", "ir-50", "se-ir-50"),
]
PUBLISHED = {
    "densenet169": torchvision.models.densenet169,
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "mobilenetv2": torchvision.models.mobilenet_v2,
    "mobilenetv3-large": torchvision.models.mobilenet_v3_large,
}


def pictures(n: int = 2, side: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, side, side), generator=generator).float()


def embedder(name: str, **options: int) -> BodyEmbedder:
    torch.manual_seed(0)
    network = icf.models.create(name, **options)
    assert isinstance(network, BodyEmbedder)
    return network.eval()


def test_importing_the_package_imports_no_pytorch() -> None:
    code = "import icf.models, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_embeds_pictures_of_bytes_with_the_numbers_asked_for(
    name: str,
) -> None:
    network = embedder(name, dim=24, side=32).to(memory_format=torch.channels_last)
    batch = pictures().to(memory_format=torch.channels_last)
    with torch.no_grad():
        found = network(batch)
        from_bytes = network(batch.to(torch.uint8))
    assert found.shape == (2, 24)
    assert torch.isfinite(found).all()
    assert not torch.equal(found[0], found[1])
    assert torch.allclose(from_bytes, found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pooled", "se-ir"])
def test_a_backbone_is_exported_with_batches_of_any_size(
    kind: str, tmp_path: Path
) -> None:
    """With a block a stage; a full-size body takes half a minute to export.

    An ``ir`` network, the same without excitation, is exported and read back in
    `tests.models.runtime.test_torch_network`.
    """
    torch.manual_seed(0)
    if kind == "pooled":
        body = ResNet(BasicBlock, [1, 1, 1, 1])
        body.fc = nn.Identity()
        network = BodyEmbedder(body, pooled_head(512, 16), 16)
    else:
        network = improved_resnet((1, 1, 1, 1), 16, 32, excited=True)
    shake(network)
    path = tmp_path / "network.onnx"
    to_onnx(network, pictures(2), {0: torch.export.Dim("n")}, ["out"], path, None)
    assert check_equal(network, path, [pictures(1), pictures(5)]) < 1e-4


def shake(network: nn.Module) -> None:
    """Give norms other statistics than their first, so that none can be left out."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.weight, 0.8, 1.2)


def test_an_embedding_has_512_numbers_if_nothing_is_said() -> None:
    with torch.no_grad():
        assert embedder("mobilenetv2")(pictures(1)).shape == (1, 512)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_body_with_published_weights_gives_the_features_of_torchvision(
    name: str, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    published = PUBLISHED[name](weights=None).eval()
    path = tmp_path / "published.pth"
    torch.save(published.state_dict(), path)
    network = embedder(name)
    loaded = load_backbone(network, path)
    assert loaded.left_out
    assert not loaded.untrained
    assert not loaded.head
    batch = pictures()
    last = published.classifier if hasattr(published, "classifier") else published.fc
    seen: list[Tensor] = []
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        published((batch / 255 - mean) / std)
        features = network.body((batch - network.mean) / network.std)
    assert torch.allclose(features, seen[0], rtol=1e-3, atol=1e-4)


def old_densenet_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names that torchvision's file of DenseNet-169 has: norm.1, not norm1."""
    old = {}
    for name, value in state.items():
        for layer in ("norm", "conv"):
            for number in "12":
                if "denselayer" in name:
                    name = name.replace(f".{layer}{number}.", f".{layer}.{number}.")
        old[name] = value
    return old


def test_densenets_file_with_names_of_old_loads(tmp_path: Path) -> None:
    state = torchvision.models.densenet169(weights=None).state_dict()
    old = {
        name: value
        for name, value in old_densenet_names(state).items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    network = embedder("densenet169")
    load_backbone(network, tmp_path / "old.pth")
    loaded = network.body.state_dict()
    assert all(torch.equal(loaded[k], state[k]) for k in loaded)


def test_weights_load_from_safetensors_and_from_a_checkpoint_around_them(
    tmp_path: Path,
) -> None:
    state = torchvision.models.resnet18(weights=None).state_dict()
    safetensors.torch.save_file(state, tmp_path / "a.safetensors")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "b.pth")
    for file in ("a.safetensors", "b.pth"):
        network = embedder("resnet18")
        assert load_backbone(network, tmp_path / file).taken == 100
        assert torch.equal(
            network.body.state_dict()["conv1.weight"], state["conv1.weight"]
        )


def test_resnets_weights_load_into_the_excited_one_and_the_rest_is_named(
    tmp_path: Path,
) -> None:
    state = torchvision.models.resnet50(weights=None).state_dict()
    torch.save(state, tmp_path / "a.pth")
    loaded = load_backbone(embedder("se-resnet50"), tmp_path / "a.pth")
    assert len(loaded.untrained) == 4 * 16
    assert all(".excite." in name for name in loaded.untrained)


def insightface_state(
    layers: tuple[int, ...], dim: int, side: int
) -> dict[str, Tensor]:
    """A state dict with the names and shapes that insightface's IR networks have."""
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, width: int) -> None:
        parts = ("weight", "bias", "running_mean", "running_var")
        shapes.update({f"{name}.{part}": (width,) for part in parts})

    shapes["conv1.weight"] = (64, 3, 3, 3)
    norm("bn1", 64)
    shapes["prelu.weight"] = (64,)
    inner = 64
    for stage, (outer, count) in enumerate(
        zip((64, 128, 256, 512), layers, strict=True), 1
    ):
        for block in range(count):
            name = f"layer{stage}.{block}"
            norm(f"{name}.bn1", inner)
            shapes[f"{name}.conv1.weight"] = (outer, inner, 3, 3)
            norm(f"{name}.bn2", outer)
            shapes[f"{name}.prelu.weight"] = (outer,)
            shapes[f"{name}.conv2.weight"] = (outer, outer, 3, 3)
            norm(f"{name}.bn3", outer)
            if not block:
                shapes[f"{name}.downsample.0.weight"] = (outer, inner, 1, 1)
                norm(f"{name}.downsample.1", outer)
            inner = outer
    norm("bn2", 512)
    shapes["fc.weight"], shapes["fc.bias"] = (dim, 512 * (side // 16) ** 2), (dim,)
    norm("features", dim)
    random = torch.Generator().manual_seed(5)
    state = {k: torch.rand(s, generator=random) + 0.1 for k, s in shapes.items()}
    counters = {k.replace("running_mean", "num_batches_tracked") for k in shapes}
    counted = {k: torch.tensor(7) for k in counters if k.endswith("tracked")}
    return state | counted


def test_insightfaces_names_load_with_the_head_where_it_fits(tmp_path: Path) -> None:
    state = insightface_state((1, 2, 1, 1), 16, 32)
    torch.save(state, tmp_path / "backbone.pth")
    network = improved_resnet((1, 2, 1, 1), 16, 32, excited=False)
    loaded = load_backbone(network, tmp_path / "backbone.pth")
    assert loaded.head
    assert not loaded.left_out
    assert torch.equal(network.head.state_dict()["project.bias"], state["fc.bias"])
    other = improved_resnet((1, 2, 1, 1), 8, 32, excited=False)
    loaded = load_backbone(other, tmp_path / "backbone.pth")
    assert not loaded.head
    assert "fc.weight" in loaded.left_out


def test_an_ir_network_is_the_published_arithmetic(tmp_path: Path) -> None:
    """Computed from the state dict by functions, in the order of the paper's figure."""
    state = insightface_state((1, 1, 1, 1), 8, 32)
    torch.save(state, tmp_path / "backbone.pth")
    network = improved_resnet((1, 1, 1, 1), 8, 32, excited=False).eval()
    load_backbone(network, tmp_path / "backbone.pth")
    f = nn.functional

    def norm(maps: Tensor, name: str) -> Tensor:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return f.batch_norm(
            maps, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"]
        )

    batch = pictures()
    maps = f.conv2d(batch / 127.5 - 1, state["conv1.weight"], padding=1)
    maps = f.prelu(norm(maps, "bn1"), state["prelu.weight"])
    for stage in range(1, 5):
        name = f"layer{stage}.0"
        inner = f.conv2d(
            norm(maps, f"{name}.bn1"), state[f"{name}.conv1.weight"], padding=1
        )
        inner = f.prelu(norm(inner, f"{name}.bn2"), state[f"{name}.prelu.weight"])
        inner = f.conv2d(inner, state[f"{name}.conv2.weight"], stride=2, padding=1)
        short = f.conv2d(maps, state[f"{name}.downsample.0.weight"], stride=2)
        maps = norm(inner, f"{name}.bn3") + norm(short, f"{name}.downsample.1")
    maps = norm(maps, "bn2").flatten(1)
    expected = norm(f.linear(maps, state["fc.weight"], state["fc.bias"]), "features")
    with torch.no_grad():
        found = network(batch)
    assert torch.allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50", r"it lacks layer1\.0\.bn3\.bias, .* more; it has .*other shapes"),
        ("mobilenetv2", r"it lacks features\.0.* it has bn1\.bias"),
    ],
)
def test_weights_of_another_network_are_refused_with_their_names(
    name: str, message: str, tmp_path: Path
) -> None:
    torch.save(
        torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "a.pth"
    )
    with pytest.raises(BadModel, match=message):
        load_backbone(embedder(name), tmp_path / "a.pth")


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="there is no file"):
        read_state(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("weights")
    (tmp_path / "text.safetensors").write_text("weights")
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    for file in ("text.pth", "text.safetensors", "module.pth"):
        with pytest.raises(BadModel, match="cannot be read as weights"):
            read_state(tmp_path / file)
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(BadModel, match="no weights by name"):
        read_state(tmp_path / "list.pth")
    torch.save({"a": torch.zeros(2), "b": "c"}, tmp_path / "mixed.pth")
    with pytest.raises(BadModel, match="'b' in it is no tensor"):
        read_state(tmp_path / "mixed.pth")


def test_the_bundled_embedder_takes_no_published_weights(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="EmbedderNet takes no published weights"):
        load_backbone(icf.models.create("embedder-mobilenetv2"), tmp_path / "a.pth")


def test_an_ir_network_refuses_a_side_that_does_not_fit() -> None:
    with pytest.raises(WrongUse, match="multiple of 16 pixels, not 100"):
        icf.models.create("ir-50", side=100)


def test_timm_brings_transformers_and_their_published_names(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    network = embedder("timm:vit_tiny_patch16_224", dim=12, side=64)
    with torch.no_grad():
        assert network(pictures(2, 64)).shape == (2, 12)
    published = timm.create_model("vit_tiny_patch16_224", img_size=224)
    torch.save(published.state_dict(), tmp_path / "vit.pth")
    loaded = load_backbone(network, tmp_path / "vit.pth")
    assert loaded.left_out == ("head.bias", "head.weight")
    weight = "blocks.3.attn.qkv.weight"
    assert torch.equal(
        network.body.state_dict()[weight], published.state_dict()[weight]
    )
    with pytest.raises(WrongUse, match="multiple of 16 pixels, not 60"):
        icf.models.create("timm:vit_tiny_patch16_224", side=60)
    with pytest.raises(BadModel, match="has no architecture 'vit_tiny_patch17'"):
        icf.models.create("timm:vit_tiny_patch17")


def test_without_timm_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        WrongUse, match=r"need the package timm: pip install .*\[timm\]"
    ):
        icf.models.create("timm:resnet18")


def test_dinov2s_own_names_and_its_larger_pictures_load(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    name, small = "vit_small_patch14_dinov2", {"depth": 2}
    published = timm.create_model(name, num_classes=0, **small).state_dict()
    # As Meta publishes it: with a token that only its own training needs.
    published["mask_token"] = torch.zeros(1, 384)
    torch.save(published, tmp_path / "dinov2_vits14_pretrain.pth")
    network = embedder(f"timm:{name}", dim=8, side=56, **small)
    loaded = load_backbone(network, tmp_path / "dinov2_vits14_pretrain.pth")
    assert not loaded.left_out
    own = network.body.state_dict()
    assert own["pos_embed"].shape == (1, 1 + 4 * 4, 384)
    assert published["pos_embed"].shape == (1, 1 + 37 * 37, 384)
    weight = "blocks.1.mlp.fc1.weight"
    assert torch.equal(own[weight], published[weight])
    with torch.no_grad():
        assert network(pictures(2, 56)).shape == (2, 8)
