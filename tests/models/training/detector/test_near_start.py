from __future__ import annotations

import pytest
import torch
from torch import nn

from icf.models.training.detector.near_start import NearStart


def test_the_penalty_is_half_the_squared_way_from_the_start() -> None:
    layer = nn.Linear(2, 1)
    frozen = nn.Parameter(torch.ones(3), requires_grad=False)
    near = NearStart([*layer.parameters(), frozen], 0.1)
    assert near.loss().item() == 0
    with torch.no_grad():
        layer.weight.add_(2)
        frozen.add_(5)
    loss = near.loss()
    assert loss.item() == pytest.approx(0.1 / 2 * 2 * 2**2)
    torch.autograd.backward(loss)
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [pytest.approx([0.2, 0.2])]
