"""Batch norm over the batches of all ranks, on processors.

PyTorch's own `SyncBatchNorm` runs on GPUs only. With this one several processes give
what a single one gives, up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _SumOverRanks(torch.autograd.Function):
    """The sum of a tensor over all ranks, and of its gradient."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


class SyncedBatchNorm(_BatchNorm):
    """A batch norm of one or two dimensions whose statistics are of all ranks."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Take maps and vectors alike."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise: in training by the mean and variance over all ranks' batches."""
        if not self.training:
            normed: Tensor = super().forward(input)
            return normed
        over = [0, *range(2, input.ndim)]
        values = input.float()
        count = values.new_tensor([input.numel() / input.shape[1]])
        local = torch.cat([values.sum(over), values.square().sum(over), count])
        sums, squares, total = _SumOverRanks.apply(local).split(
            [input.shape[1], input.shape[1], 1]
        )
        mean = sums / total
        variance = (squares / total - mean.square()).clamp(min=0)
        self._track(mean.detach(), variance.detach(), total.detach())
        shape = [1, -1, *[1] * (input.ndim - 2)]
        scale = torch.rsqrt(variance + self.eps) * self.weight
        shift = self.bias - mean * scale
        found: Tensor = values * scale.view(shape) + shift.view(shape)
        return found.to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, total: Tensor) -> None:
        if not isinstance(self.running_mean, Tensor):
            return
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 0.1
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * total / (total - 1).clamp(min=1), share)

    @classmethod
    def convert(cls, module: nn.Module) -> nn.Module:
        """Replace the batch norms of a network; their weights stay the same objects."""
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            synced = cls(module.num_features, module.eps, module.momentum)
            synced.load_state_dict(module.state_dict())
            synced.weight, synced.bias = module.weight, module.bias
            synced.training = module.training
            return synced
        for name, child in module.named_children():
            replaced = cls.convert(child)
            if replaced is not child:
                setattr(module, name, replaced)
        return module
