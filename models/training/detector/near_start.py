"""A penalty for leaving the weights that a training starts from."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class NearStart:
    """Half of the squared distance to the first weights (L2-SP).

    What a backbone learnt from many pictures is forgotten more slowly on few of
    another kind (Li et al. 2018, arXiv:1802.01483).

    Args:
        parameters: with their first weights; frozen ones are left out.
        weight: of the penalty.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight: float) -> None:
        self._now = [each for each in parameters if each.requires_grad]
        self._first = [each.detach().clone() for each in self._now]
        self._weight = weight

    def loss(self) -> Tensor:
        """Return the penalty of the present weights, a scalar in float32."""
        total = torch.zeros((), device=self._now[0].device)
        for number, (now, first) in enumerate(zip(self._now, self._first, strict=True)):
            if first.device != now.device:
                first = self._first[number] = first.to(now.device)
            total = total + (now - first).square().sum()
        return self._weight / 2 * total
