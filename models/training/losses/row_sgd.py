"""Stochastic gradient descent that touches the class centres of a batch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class RowSGD(Optimizer):
    """SGD with momentum and weight decay on the rows that have a gradient.

    With sparse gradients (`PartialFC` with ``sparse=True``) a step costs as much as the
    classes that were drawn, not as all classes: the others keep their values and their
    momentum, as in insightface's PartialFC. With dense gradients it is torch's SGD.

    Args:
        parameters: class centres, one row each, or torch's groups of such.
        lr: learning rate.
        momentum: of the rows.
        weight_decay: times each row, added to its gradient.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(  # type: ignore[override]  # torch's closure is optional, and so is ours
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """Take a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        moving: Tensor = state["momentum_buffer"]
        if not gradient.is_sparse:
            gradient = gradient.add(weight, alpha=group["weight_decay"])
            moving.mul_(group["momentum"]).add_(gradient)
            weight.add_(moving, alpha=-group["lr"])
            return
        gradient = gradient.coalesce()
        [rows], values = gradient.indices(), gradient.values()
        values = values.add(weight[rows], alpha=group["weight_decay"])
        moved = moving[rows].mul_(group["momentum"]).add_(values)
        moving[rows] = moved
        weight[rows] = weight[rows].sub_(moved, alpha=group["lr"])
