"""The domain term: embeddings do not show whether a face is drawn or photographed.

A small network D reads the domain off the embedding, and the embedder is trained
against it. Equation 3 of the paper is 1 / CE, the reciprocal of D's cross-entropy, with
log D printed in both of its terms, so that as printed it does not depend on the domain;
and 1 / CE grows like exp(logit). Its readings:

- ``"grl"``: the embedder maximises D's cross-entropy through a gradient reversal layer
  (Ganin and Lempitsky 2015, arXiv:1409.7495), to which the paper refers. The reversed
  gradient grows by lambda = 2 / (1 + exp(-10 p)) - 1, p the share of the training that
  is done. The default.
- ``"reciprocal"``: 1 / (CE + epsilon) of each domain's mean cross-entropy, summed over
  the domains, with D as a fixed function and the gradient that reaches the embeddings
  clipped; D learns from a loss of its own.
- ``"confusion"``: D's output is to be even, -1/2 log D - 1/2 log(1 - D) (Tzeng et al.
  2015, arXiv:1510.02192), with D as a fixed function; D learns from a loss of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.training.losses.base import wide, without_autocast

Form = Literal["grl", "reciprocal", "confusion"]

#: Numbers of D's hidden layer.
_HIDDEN = 256


def reversal(share: float) -> float:
    """Return lambda after a share of the training.

    >>> round(reversal(0.0), 3), round(reversal(0.5), 3), round(reversal(1.0), 3)
    (0.0, 0.987, 1.0)
    """
    return 2 / (1 + math.exp(-10 * share)) - 1


@dataclass(frozen=True)
class DomainLosses:
    """The domain term of a batch.

    Attributes:
        embedder: what is weighted by gamma; of ``grl`` it trains D as well.
        discriminator: what D alone learns from, added without a weight; 0 of ``grl``.
    """

    embedder: Tensor
    discriminator: Tensor


class DomainLoss(nn.Module):
    """The domain term of the total loss.

    Args:
        dim: numbers in an embedding.
        form: as above.
        epsilon: of ``reciprocal``: its loss is at most 2 / epsilon, and its slope for a
            logit of D at most 1 / (4 epsilon).
        clip: of ``reciprocal``: the longest gradient of all the batch's embeddings,
            before it is weighted.
    """

    def __init__(
        self,
        dim: int,
        form: Form = "grl",
        epsilon: float = 0.1,
        clip: float = 1.0,
    ) -> None:
        super().__init__()
        self.form: Form = form
        self.epsilon, self.clip = epsilon, clip
        self.discriminator = nn.Sequential(
            nn.Linear(dim, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1)
        )

    def forward(
        self, embeddings: Tensor, domains: Tensor, share: float
    ) -> DomainLosses:
        """Return the term.

        Args:
            embeddings: shape (n, dim).
            domains: shape (n,), 1 where a face is drawn and 0 where it is photographed.
            share: of the training that is done, 0 to 1.
        """
        with without_autocast(embeddings):
            embeddings = wide(embeddings)
            if self.form == "grl":
                reverse = _Scaled.apply(embeddings, -reversal(share))
                logits = self._logits(reverse, fixed=False)
                embedder = cross_entropy(logits, domains).mean()
                return DomainLosses(embedder, torch.zeros_like(embedder))
            own = self._logits(embeddings.detach(), fixed=False)
            learnt = cross_entropy(own, domains).mean()
            if self.form == "reciprocal":
                embeddings = _Clipped.apply(embeddings, self.clip)
            logits = self._logits(embeddings, fixed=True)
            if self.form == "reciprocal":
                embedder = reciprocal(logits, domains, self.epsilon)
            else:
                embedder = confusion(logits)
            return DomainLosses(embedder, learnt)

    def _logits(self, embeddings: Tensor, *, fixed: bool) -> Tensor:
        """Return D's logit of being drawn, n."""
        weights = {
            name: wide(each.detach() if fixed else each)
            for name, each in self.discriminator.named_parameters()
        }
        found: Tensor = torch.func.functional_call(
            self.discriminator, weights, (embeddings,)
        )
        return found[:, 0]


def cross_entropy(logits: Tensor, domains: Tensor) -> Tensor:
    """Return D's cross-entropy on each face, shape (n,).

    Args:
        logits: shape (n,), of being drawn.
        domains: shape (n,), 1 where it is.
    """
    return functional.softplus(torch.where(domains == 1, -wide(logits), wide(logits)))


def reciprocal(logits: Tensor, domains: Tensor, epsilon: float = 0.1) -> Tensor:
    """Return 1 / (CE + epsilon), summed over the domains that the batch has.

    Args:
        logits: shape (n,), of being drawn.
        domains: shape (n,), 1 where it is.
        epsilon: keeps it finite where D is sure.
    """
    losses = cross_entropy(logits, domains)
    total = losses.new_zeros(())
    for domain in (0, 1):
        of_domain = domains == domain
        count = of_domain.sum()
        mean = torch.where(of_domain, losses, 0.0).sum() / count.clamp(min=1)
        total = total + torch.where(count > 0, 1 / (mean + epsilon), 0.0)
    return total


def confusion(logits: Tensor) -> Tensor:
    """Return the mean of -1/2 log D - 1/2 log(1 - D).

    Args:
        logits: shape (n,).
    """
    logits = wide(logits)
    return (functional.softplus(logits) - logits / 2).mean()


class _Scaled(torch.autograd.Function):
    """The same numbers, with a gradient that is multiplied."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return numbers.view_as(numbers)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None


class _Clipped(torch.autograd.Function):
    """The same numbers, with a gradient of at most some length."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, longest: float) -> Tensor:
        ctx.longest = longest
        return numbers.view_as(numbers)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        length = torch.linalg.vector_norm(gradients[0])
        return gradients[0] * (ctx.longest / length.clamp(min=ctx.longest)), None
