"""A training run: what is trained, its optimiser, and the average of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from icf.models.training.bundled.checkpoint import Checkpoint


class Run:
    """Takes steps, and holds everything that an exact resume needs.

    Args:
        parts: the trained networks, by name.
        kept: the one whose averaged weights are the result.
        optimiser: of the trained parameters, with the full rate of each group.
        recipe: the settings of the run, for the checkpoint.
        average: decay of the moving average.

    Attributes:
        step: steps taken.
        average: the moving average of the weights of ``kept``.
    """

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        kept: str,
        optimiser: torch.optim.Optimizer,
        recipe: Mapping[str, Any],
        average: float,
    ) -> None:
        self._parts, self._kept, self._optimiser = parts, kept, optimiser
        self._recipe, self._decay = recipe, average
        self._rates = [float(group["lr"]) for group in optimiser.param_groups]
        self.step = 0
        weights = parts[kept].state_dict()
        self.average = {key: value.clone() for key, value in weights.items()}

    def update(self, loss: Tensor, share: float) -> None:
        """Take one step of the optimiser, at a share of the full learning rate."""
        groups = self._optimiser.param_groups
        for group, rate in zip(groups, self._rates, strict=True):
            group["lr"] = rate * share
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        learning = [weight for group in groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(learning, 5.0)
        self._optimiser.step()
        self.step += 1
        self._update_average()

    def _update_average(self) -> None:
        # The first averages are short, so that the initial weights are forgotten.
        keep = min(self._decay, self.step / (self.step + 10))
        for key, value in self._parts[self._kept].state_dict().items():
            old = self.average[key]
            if old.is_floating_point():
                old.lerp_(value, 1 - keep)
            else:
                old.copy_(value)

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        weights = {
            f"{name}.{key}": value
            for name, part in self._parts.items()
            for key, value in part.state_dict().items()
        }
        moments = self._optimiser.state_dict()["state"]
        found = Checkpoint(self.step, self._recipe, weights, self.average, moments)
        found.save(path)

    def resume(self, found: Checkpoint) -> None:
        """Resume from a checkpoint."""
        for name, part in self._parts.items():
            own = f"{name}."
            part.load_state_dict(
                {
                    key.removeprefix(own): value
                    for key, value in found.network.items()
                    if key.startswith(own)
                }
            )
        self.average = dict(found.average)
        state = self._optimiser.state_dict()
        self._optimiser.load_state_dict({**state, "state": dict(found.moments)})
        self.step = found.step
