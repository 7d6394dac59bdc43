"""The optimiser of a run, and the moving average of the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from icf.models.training.config import LoopSettings
from icf.models.training.task import Group


def make_optimiser(
    groups: Iterable[Group], settings: LoopSettings
) -> torch.optim.Optimizer:
    """Make AdamW or SGD, with kernels that update all weights at once.

    Biases and the scales of norms, that is, what has fewer than two dimensions, get no
    weight decay (He et al. 2019, arXiv:1812.01187, section 3.1).

    Args:
        groups: the parameters to train.
        settings: of the loop.
    """
    rows: list[dict[str, object]] = []
    for group in groups:
        decay = group.weight_decay
        decay = settings.weight_decay if decay is None else decay
        parameters = [each for each in group.parameters if each.requires_grad]
        for decayed in (True, False):
            some = [p for p in parameters if (p.ndim > 1) is decayed]
            if some:
                rows.append(
                    {
                        "params": some,
                        "lr": settings.rate * group.rate,
                        "weight_decay": decay if decayed else 0.0,
                    }
                )
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            rows, lr=settings.rate, momentum=settings.momentum, fused=True
        )
    return torch.optim.AdamW(rows, lr=settings.rate, fused=True)


class Rates:
    """Sets the rate of every group to a share of its full one.

    Args:
        optimiser: with the full rates.
    """

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        # Its groups are other ones after it loaded a state: ask it each time.
        self._optimiser = optimiser
        self._full = [float(group["lr"]) for group in optimiser.param_groups]

    def set(self, share: float) -> None:
        """Set the rates for the next step."""
        groups = self._optimiser.param_groups
        for group, full in zip(groups, self._full, strict=True):
            group["lr"] = full * share

    @property
    def now(self) -> float:
        """The highest rate of a group at present."""
        return max(float(group["lr"]) for group in self._optimiser.param_groups)


class Average:
    """The moving average of a network's weights, and what becomes the result.

    Args:
        network: whose weights are averaged; they are updated in place.
        decay: share of the old average that a step keeps.
        steps: of the whole run.
        mean_of: the result is the mean of the first weights and of the moving average
            at so many equal distances; None: the moving average at the end.

    Attributes:
        weights: the average, as a state dict.
        mean: of the first weights and of the averages so far; empty where `mean_of` is
            None.
    """

    def __init__(
        self,
        network: nn.Module,
        decay: float,
        steps: int = 0,
        mean_of: int | None = None,
    ) -> None:
        self._decay = decay
        current = network.state_dict()
        self.weights = {key: value.clone() for key, value in current.items()}
        names = [key for key, value in current.items() if value.is_floating_point()]
        self._floats = [current[key] for key in names]
        self._means = [self.weights[key] for key in names]
        self._others = [
            (self.weights[key], value)
            for key, value in current.items()
            if not value.is_floating_point()
        ]
        distances = range(1, (mean_of or 0) + 1)
        taken_at = (max(1, round(steps * n / len(distances))) for n in distances)
        self._taken_at = list(dict.fromkeys(taken_at))
        self.mean = {
            key: value.clone() for key, value in current.items() if self._taken_at
        }

    @property
    def result(self) -> Mapping[str, Tensor]:
        """The weights that a run ends with."""
        return self.mean or self.weights

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after ``step`` steps into the average.

        The first averages are short, so that the initial weights are forgotten.
        """
        keep = min(self._decay, step / (step + 10))
        torch._foreach_lerp_(self._means, self._floats, 1 - keep)
        for mean, value in self._others:
            mean.copy_(value)
        if step in self._taken_at:
            share = 1 / (self._taken_at.index(step) + 2)
            for key, value in self.weights.items():
                if value.is_floating_point():
                    self.mean[key].lerp_(value, share)
                else:
                    self.mean[key].copy_(value)

    def load(self, weights: Mapping[str, Tensor], mean: Mapping[str, Tensor]) -> None:
        """Go on from an average that was stored."""
        for key, value in weights.items():
            self.weights[key].copy_(value)
        for key, value in mean.items():
            self.mean[key].copy_(value)
