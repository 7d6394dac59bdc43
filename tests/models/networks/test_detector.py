from __future__ import annotations

import pytest
import torch
import torchvision

from icf.errors import BadModel
from icf.models import detection
from icf.models.anchors import SMALL
from icf.models.networks import detector_base, small_retinanet
from icf.models.networks.detector import Detector


@pytest.fixture(scope="module")
def network() -> Detector:
    torch.manual_seed(0)
    return Detector().eval()


def test_there_is_an_anchor_for_each_row_of_the_output(network: Detector) -> None:
    with torch.no_grad():
        logits, offsets = network(torch.zeros(2, 3, 128, 192))
    count = len(SMALL.anchors(128, 192))
    assert logits.shape == (2, count, 2)
    assert offsets.shape == (2, count, 4)


def test_anchors_lie_in_the_order_of_the_output() -> None:
    """A map that holds at each place the anchor's own box comes out as anchors."""
    height, width = 128, 192
    rows = []
    for stride, shapes in zip(SMALL.strides, SMALL.shapes, strict=True):
        y = (torch.arange(height // stride) + 0.5) * stride
        x = (torch.arange(width // stride) + 0.5) * stride
        cy, cx = torch.meshgrid(y, x, indexing="ij")
        halves = [side / 2 for side, _ in shapes]
        boxes = [(cx - h, cy - h, cx + h, cy + h) for h in halves]
        output = torch.stack([side for box in boxes for side in box])[None]
        rows.append(small_retinanet._flat(output, 4)[0])
    wanted = torch.from_numpy(SMALL.anchors(height, width).copy())
    assert torch.allclose(torch.cat(rows), wanted)


def test_running_and_training_have_the_same_kinds() -> None:
    assert detection.KINDS == detector_base.KINDS


def test_the_backbone_starts_from_torchvisions_weights() -> None:
    torch.manual_seed(1)
    published = torchvision.models.mobilenet_v2(weights=None)
    started = Detector()
    assert "start anew" in started.load_published(published.state_dict())
    pictures = torch.rand(1, 3, 64, 64)
    for part in (published, started):
        part.eval()
    with torch.no_grad():
        wanted = published.features[:18](pictures)
        found = pictures
        for stage in started.stages():
            for part in stage:
                found = part(found)
    assert torch.equal(wanted, found)


def test_weights_of_another_network_are_refused(network: Detector) -> None:
    other = torchvision.models.resnet18(weights=None).state_dict()
    with pytest.raises(BadModel, match="not torchvision's MobileNetV2"):
        network.load_published(other)
