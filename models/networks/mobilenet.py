"""Start a network from the weights of MobileNetV2 that torchvision publishes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from icf.errors import BadModel


def load_mobilenet(weights: Path, *parts: nn.Sequential) -> None:
    """Load consecutive blocks of MobileNetV2 from a file, beginning with the first."""
    load_blocks(torch.load(weights, map_location="cpu", weights_only=True), *parts)


def load_blocks(state: Mapping[str, Tensor], *parts: nn.Sequential) -> None:
    """Load consecutive blocks of MobileNetV2, beginning with the first.

    Raises:
        BadModel: the weights are of another network.
    """
    whole = torchvision.models.mobilenet_v2(weights=None)
    try:
        whole.load_state_dict(dict(state))
    except RuntimeError as error:
        raise BadModel(f"these are not torchvision's MobileNetV2: {error}") from error
    first = 0
    for part in parts:
        part.load_state_dict(whole.features[first : first + len(part)].state_dict())
        first += len(part)
