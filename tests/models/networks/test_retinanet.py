"""torchvision's RetinaNet and ours, with the same weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.detection import (
    RetinaNet as TorchvisionRetinaNet,
)
from torchvision.models.detection import (
    retinanet_resnet50_fpn,
    retinanet_resnet50_fpn_v2,
)
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.image_list import ImageList

from icf.errors import BadModel
from icf.models.anchors import TORCHVISION
from icf.models.networks import create
from icf.models.networks.retinanet import RetinaNet
from icf.models.runtime.torch_network import load_network
from icf.models.training.detector.export import export

pytestmark = pytest.mark.slow

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Sides for which the last level is smaller than half of the one before, and not.
PICTURES = torch.randint(0, 256, (2, 3, 128, 192), generator=torch.manual_seed(3))
Make = Callable[..., TorchvisionRetinaNet]


def peer(make: Make, classes: int = 2) -> TorchvisionRetinaNet:
    torch.manual_seed(0)
    network = make(weights=None, weights_backbone=None, num_classes=classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


def outputs(network: TorchvisionRetinaNet) -> tuple[Tensor, Tensor, Tensor]:
    """Class logits, box regression and anchors, as torchvision computes them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    batch = (PICTURES / 255 - mean) / std
    with torch.no_grad():
        features = list(network.backbone(batch).values())
        found = network.head(features)
        shapes = [(128, 192)] * len(batch)
        anchors = network.anchor_generator(ImageList(batch, shapes), features)
    return found["cls_logits"], found["bbox_regression"], anchors[0]


def as_published(name: str) -> str:
    """The name of a head's convolution in the file of 2020: numbered with the ReLUs."""
    found = re.fullmatch(r"(head\.\w+\.conv)\.(\d)\.0\.(\w+)", name)
    return f"{found[1]}.{2 * int(found[2])}.{found[3]}" if found else name


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("retinanet-resnet50", retinanet_resnet50_fpn),
        ("retinanet-resnet50-v2", retinanet_resnet50_fpn_v2),
    ],
)
def test_outputs_and_anchors_are_torchvisions(name: str, make: Make) -> None:
    published = peer(make)
    ours = create(name)
    assert isinstance(ours, RetinaNet)
    assert ours.load_published(published.state_dict()) == ""
    with torch.no_grad():
        found = ours.eval()(PICTURES.float())
    *wanted, anchors = outputs(published)
    for a, b in zip(wanted, found, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4)
    own = torch.from_numpy(TORCHVISION.anchors(128, 192).copy())
    assert torch.equal(own, anchors)


def test_boxes_are_decoded_as_torchvision_does() -> None:
    offsets = torch.randn(4608, 4, generator=torch.manual_seed(0)) * 3
    reference = torch.from_numpy(TORCHVISION.anchors(128, 192).copy())
    wanted = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(offsets, reference)
    found = TORCHVISION.decode(offsets.numpy(), reference.numpy())
    assert torch.allclose(torch.from_numpy(found), wanted, rtol=1e-4, atol=1e-2)


def test_a_detector_for_91_classes_gives_all_but_the_last_layer() -> None:
    published = peer(retinanet_resnet50_fpn_v2, classes=91)
    ours = RetinaNet()
    before = ours.head.classification_head.cls_logits.weight.clone()
    said = ours.load_published(published.state_dict())
    assert said.startswith("the weights tell 91 classes apart, this network cartoon")
    assert torch.equal(before, ours.head.classification_head.cls_logits.weight)
    with torch.no_grad():
        _, offsets = ours.eval()(PICTURES.float())
    assert torch.allclose(offsets, outputs(published)[1], rtol=1e-4, atol=1e-4)


def test_frozen_norms_without_epsilon_are_loaded_as_they_are_meant() -> None:
    """torchvision sets the epsilon of its published first RetinaNet to 0."""
    published = peer(retinanet_resnet50_fpn, classes=91)
    for module in published.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            nn.init.uniform_(module.running_var, 1e-6, 1e-4)
            with torch.no_grad():
                module.weight.copy_(module.running_var.sqrt())
            module.eps = 0.0
    state = {
        as_published(name): value
        for name, value in published.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    ours = RetinaNet(second=False)
    ours.load_published(state)
    with torch.no_grad():
        _, offsets = ours.eval()(PICTURES.float())
    assert torch.allclose(offsets, outputs(published)[1], rtol=1e-3, atol=1e-4)


def test_weights_of_a_backbone_are_loaded_and_the_rest_starts_anew() -> None:
    published = torchvision.models.resnet18(weights=None)
    ours = RetinaNet("resnet18")
    said = ours.load_published(published.state_dict())
    assert said.startswith("only the ResNet is from these weights")
    assert torch.equal(published.conv1.weight, ours.backbone.body["conv1"].weight)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (lambda: peer(retinanet_resnet50_fpn).state_dict(), "of another network"),
        (lambda: torchvision.models.resnet50().state_dict(), "of another network"),
        (lambda: torchvision.models.vgg11().state_dict(), "neither torchvision's"),
    ],
)
def test_other_weights_are_refused(
    state: Callable[[], dict[str, Tensor]], message: str
) -> None:
    with pytest.raises(BadModel, match=message):
        RetinaNet("resnet18").load_published(state())


def shallow() -> RetinaNet:
    """A block a stage, and a convolution before the last of each head.

    Layers of each kind, at each level: the other ones would be exported like these, and
    take half a minute.
    """
    network = RetinaNet("resnet18")
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        network.backbone.body[stage] = network.backbone.body[stage][:1]
    for head in network.head.children():
        head.conv = head.conv[:1]
    return network


def test_an_exported_file_gives_the_same_and_gives_its_weights_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = shallow().eval()
    with torch.no_grad():
        for weight in network.parameters():  # no two alike: the exporter merges those
            weight.add_(torch.randn_like(weight) * 0.01)
    path = tmp_path / "retinanet.onnx"
    export(network, path)  # compares several sizes
    module = "icf.models.runtime.torch_network"
    monkeypatch.setattr(f"{module}.create", lambda name: shallow())
    again = load_network(path, "retinanet-resnet18-v2").eval()
    with torch.no_grad():
        wanted, found = (n(PICTURES.float()) for n in (network, again))
    for a, b in zip(wanted, found, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(a.abs().max()))
