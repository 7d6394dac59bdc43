"""Start a network from the weights of MobileNetV2 that torchvision publishes."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torch import nn


def load_mobilenet(weights: Path, *parts: nn.Sequential) -> None:
    """Load consecutive blocks of MobileNetV2, beginning with the first."""
    whole = torchvision.models.mobilenet_v2(weights=None)
    whole.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    first = 0
    for part in parts:
        part.load_state_dict(whole.features[first : first + len(part)].state_dict())
        first += len(part)
