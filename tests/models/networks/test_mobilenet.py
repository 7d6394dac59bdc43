"""MobileNetV2 without torchvision is the network that torchvision has."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torchvision

from icf.models.networks import NETWORKS
from icf.models.networks.mobilenet import MobileNetV2

#: What the bundled models are, and what a training of them begins with.
BUNDLED = [
    "retinanet-centerface",
    "embedder-mobilenetv2-mirrored",
    "photo-mobilenetv2",
    "retinanet-mobilenetv2",
    "embedder-mobilenetv2",
]


def test_it_begins_with_torchvisions_weights_and_computes_what_torchvisions_does() -> (
    None
):
    torch.manual_seed(5)
    theirs = torchvision.models.mobilenet_v2(weights=None).eval()
    torch.manual_seed(5)
    ours = MobileNetV2().eval()
    wanted, found = theirs.state_dict(), ours.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    pictures = torch.randn(2, 3, 75, 64)
    with torch.no_grad():
        assert torch.equal(ours.features(pictures), theirs.features(pictures))
        assert torch.allclose(ours(pictures), theirs(pictures), atol=1e-6)
        # Both drop the same share in training.
        torch.manual_seed(6)
        wanted_drop = theirs.classifier.train()(torch.ones(1, 1280))
        torch.manual_seed(6)
        assert torch.equal(ours.classifier.train()(torch.ones(1, 1280)), wanted_drop)


@pytest.mark.slow
def test_the_bundled_networks_and_what_trains_them_import_no_compiler() -> None:
    modules = ["icf.models.training.train", "icf.models.cli.trained"]
    made = [
        f"importlib.import_module({NETWORKS.own[name].partition(':')[0]!r})"
        for name in BUNDLED
    ]
    lines = [
        "import importlib, sys",
        *(f"import {name}" for name in modules),
        *made,
        "print(*[m for m in ('torchvision', 'torch._dynamo') if m in sys.modules])",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
