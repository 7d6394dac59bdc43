"""Sums over the classes of one process, or of those of all ranks.

Each rank computes the same losses from its own classes' logits, and its backward pass
gives the whole gradient of those losses with respect to its own tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, distributed


class Across(ABC):
    """How numbers of each rank's classes become those of all classes."""

    @abstractmethod
    def total(self, part: Tensor) -> Tensor:
        """Sum over the ranks, element by element."""

    @abstractmethod
    def logsumexp(self, logits: Tensor) -> Tensor:
        """Return log sum exp over the columns of all ranks: n x k to n."""


class OneProcess(Across):
    """All classes are here."""

    def total(self, part: Tensor) -> Tensor:
        """Return it."""
        return part

    def logsumexp(self, logits: Tensor) -> Tensor:
        """Sum over the columns."""
        return torch.logsumexp(logits, 1)


class Ranks(Across):
    """Each rank of a group has some of the classes; a row may have none of a rank's.

    Args:
        group: of torch.distributed; None: all ranks, or this process alone where
            torch.distributed is not in use.
    """

    def __init__(self, group: distributed.ProcessGroup | None = None) -> None:
        self.group = group
        used = distributed.is_available() and distributed.is_initialized()
        self.count = distributed.get_world_size(group) if used else 1
        self.rank = distributed.get_rank(group) if used else 0

    def total(self, part: Tensor) -> Tensor:
        """Sum over the ranks."""
        summed: Tensor = _Total.apply(part, self)
        return summed

    def logsumexp(self, logits: Tensor) -> Tensor:
        """Sum over the columns of all ranks; logits of -inf do not count."""
        found: Tensor = _LogSumExp.apply(logits, self)
        return found

    def gathered(self, part: Tensor) -> Tensor:
        """Concatenate the rows of all ranks, equally many on each.

        The gradient of a row is the sum of what all ranks give, times the number of
        ranks: DistributedDataParallel averages over the ranks afterwards, so that the
        network's gradients come out as those of one process.
        """
        whole: Tensor = _Gather.apply(part, self)
        return whole

    def reduce(self, values: Tensor, how: Any = distributed.ReduceOp.SUM) -> Tensor:
        """Reduce over the ranks, in place, without a gradient."""
        if self.count > 1:
            distributed.all_reduce(values, how, group=self.group)
        return values

    def concatenated(self, part: Tensor) -> Tensor:
        """Concatenate the rows of all ranks without a gradient, any number on each."""
        if self.count == 1:
            return part
        sizes = torch.zeros(self.count, dtype=torch.int64, device=part.device)
        sizes[self.rank] = len(part)
        counts = self.reduce(sizes).tolist()
        padded = part.new_zeros(max(counts), *part.shape[1:])
        padded[: len(part)] = part
        found = [torch.empty_like(padded) for _ in counts]
        distributed.all_gather(found, padded, group=self.group)
        return torch.cat([x[:n] for x, n in zip(found, counts, strict=True)])


class _Total(torch.autograd.Function):
    """A sum over ranks whose every rank goes on with the same number."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, ranks: Ranks) -> Tensor:
        return ranks.reduce(part.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _LogSumExp(torch.autograd.Function):
    """log sum exp over the columns of all ranks."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, ranks: Ranks) -> Tensor:
        top = ranks.reduce(logits.amax(1), distributed.ReduceOp.MAX)
        top = torch.where(top.isfinite(), top, 0.0)
        terms = torch.exp(logits - top[:, None])
        total = top + torch.log(ranks.reduce(terms.sum(1)))
        ctx.save_for_backward(logits, total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, total = ctx.saved_tensors
        total = torch.where(total.isfinite(), total, 0.0)
        return gradients[0][:, None] * torch.exp(logits - total[:, None]), None


class _Gather(torch.autograd.Function):
    """The rows of all ranks, in their order."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks, ctx.rows = ranks, len(part)
        if ranks.count == 1:
            return part.clone()
        found = [torch.empty_like(part) for _ in range(ranks.count)]
        distributed.all_gather(found, part.contiguous(), group=ranks.group)
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        ranks, rows = ctx.ranks, ctx.rows
        summed = ranks.reduce(gradients[0].contiguous().clone())
        own = summed[ranks.rank * rows : (ranks.rank + 1) * rows]
        return own * ranks.count, None
