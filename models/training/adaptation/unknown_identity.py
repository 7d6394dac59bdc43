"""Unknown identity rejection: no class is likely for a face of the other domain.

Equation 2 of the paper is -sum_i log p_i, p being the classifier's softmax over n
classes. Its readings, as a loss of one face:

- ``"mean"``: -1/n sum_i log p_i - log n, that is KL(U || p), 0 where p is uniform. The
  default: its gradient is at most 1 for each logit.
- ``"sum"``: as printed, -sum_i log p_i. With 5,013 classes its gradient is 5,013 times
  as large.
- ``"authors"``: softmax of softmax, -sum_i log softmax(p)_i - n log n, from 0 to 0.718.
  Where p is sure of a class it has nearly no gradient.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from icf.models.training.losses.base import wide

Form = Literal["mean", "sum", "authors"]


def unknown_identity_losses(logits: Tensor, form: Form = "mean") -> Tensor:
    """Return the loss of each face.

    Args:
        logits: shape (m, n), of m faces and n classes.
        form: as above.

    Returns:
        Shape (m,), in float32 at least.

    >>> unknown_identity_losses(torch.zeros(1, 8)).abs() < 1e-6
    tensor([True])
    """
    logits = wide(logits)
    classes = logits.shape[1]
    if form == "authors":
        # n log(mean exp p) - 1, without taking the difference of numbers near n log n.
        p = torch.softmax(logits, 1)
        return classes * torch.log1p(torch.expm1(p).mean(1)) - 1
    surprises = -torch.log_softmax(logits, 1)
    if form == "sum":
        return surprises.sum(1)
    return surprises.mean(1) - math.log(classes)
