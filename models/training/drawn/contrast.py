"""A loss that compares the crops of a batch with each other, without class centres.

Centres of thousands of identities, each seen a few times, hardly move in a short
training; the crops of a batch say at once which of them are one character.
"""

from __future__ import annotations

import torch
from torch import Tensor

from icf.models.training.losses.base import unit, wide, without_autocast


def contrast(embeddings: Tensor, labels: Tensor, scale: float) -> Tensor:
    """Return the mean cross-entropy of finding the other crops of one's identity.

    Source: supervised contrastive loss, Khosla et al. 2020 (arXiv 2004.11362), equation
    2; with two crops of an identity it is that of SimCLR.

    Args:
        embeddings: shape (n, dim), of any length.
        labels: shape (n,): identities.
        scale: of the cosines, 1 / temperature.

    Returns:
        Shape (); 0 where no identity has two crops.
    """
    with without_autocast(embeddings):
        near = unit(wide(embeddings))
        itself = torch.eye(len(near), dtype=torch.bool, device=near.device)
        logits = (scale * near @ near.T).masked_fill(itself, -torch.inf)
        same = (labels[:, None] == labels) & ~itself
        found = -logits.log_softmax(1)
        of_each = found.masked_fill(~same, 0).sum(1) / same.sum(1).clamp(min=1)
        return of_each.sum() / same.any(1).sum().clamp(min=1)
