"""Parts whose parameters are divided over the ranks: the centres of many classes.

A checkpoint holds them whole, so that a run goes on with another number of ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from icf.models.training.distributed import Ranks


@runtime_checkable
class Divided(Protocol):
    """A module each rank has some rows of, such as `PartialFC`."""

    def whole(self, part: Tensor) -> Tensor:
        """Return the rows of all ranks; called on all of them."""

    def part(self, whole: Tensor) -> Tensor:
        """Return this rank's rows."""


class Parts:
    """All parts of a run, with their weights as if there were one rank.

    Args:
        parts: by name.
    """

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        self._parts = dict(parts)
        self._owners = {
            id(parameter): part
            for part in parts.values()
            if isinstance(part, Divided) and isinstance(part, nn.Module)
            for parameter in part.parameters()
        }

    def weights(self) -> dict[str, Tensor]:
        """Return all weights, keys ``part.weight``; to be called on all ranks."""
        found = {}
        for name, part in self._parts.items():
            parameters = dict(part.named_parameters())
            for key, value in part.state_dict().items():
                own = parameters.get(key)
                found[f"{name}.{key}"] = (
                    value if own is None else self.whole(own, value)
                )
        return found

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take weights that `weights` gave."""
        for name, part in self._parts.items():
            parameters = dict(part.named_parameters())
            state = {}
            for key in part.state_dict():
                value = weights[f"{name}.{key}"]
                own = parameters.get(key)
                state[key] = value if own is None else self.part(own, value)
            part.load_state_dict(state)

    def whole(self, parameter: nn.Parameter, values: Tensor) -> Tensor:
        """Return values, shaped as a parameter, for all ranks."""
        owner = self._owners.get(id(parameter))
        if owner is None or values.shape != parameter.shape:
            return values
        return owner.whole(values)

    def part(self, parameter: nn.Parameter, values: Tensor) -> Tensor:
        """Return this rank's part of values that `whole` gave."""
        owner = self._owners.get(id(parameter))
        if owner is None or values.shape[1:] != parameter.shape[1:] or not values.ndim:
            return values
        return owner.part(values)

    def divided(self) -> list[nn.Parameter]:
        """Return the parameters that are divided."""
        return [
            parameter
            for part in self._parts.values()
            for parameter in part.parameters()
            if id(parameter) in self._owners
        ]


def clip_gradients(
    parameters: Iterable[nn.Parameter],
    divided: Iterable[nn.Parameter],
    longest: float,
    ranks: Ranks,
) -> None:
    """Shorten the gradient of all parameters, over all ranks, to a length.

    Args:
        parameters: all that are trained.
        divided: those of them of which each rank has a part.
        longest: the length.
        ranks: this process.
    """
    apart = {id(each) for each in divided}
    gradients = [p.grad for p in parameters if p.grad is not None]
    alike = [p.grad for p in parameters if p.grad is not None and id(p) not in apart]
    parts = [p.grad for p in parameters if p.grad is not None and id(p) in apart]
    total = _square(alike, ranks.device)
    if apart:
        total = total + ranks.sum(_square(parts, ranks.device))
    share = (longest / (total.sqrt() + 1e-6)).clamp(max=1.0)
    torch._foreach_mul_(gradients, share)


def _square(gradients: list[Tensor], device: torch.device) -> Tensor:
    if not gradients:
        return torch.zeros((), device=device)
    lengths = torch._foreach_norm(gradients)
    return torch.stack(list(lengths)).square().sum()
