"""Softmax: plain cross-entropy on inner products."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from icf.models.training.losses.base import MarginSoftmax


class Softmax(MarginSoftmax):
    """L = -log softmax(W x)_y, the baseline of iCartoonFace's table 3.

    There is no bias: class centres have one shape in every loss, so that a run can
    start with softmax and go on with a margin, as the paper's does (section 5.1).

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        others: as in `MarginSoftmax`.

    Shapes: embeddings (n, dim), of any length, which counts; labels (n,); loss ().
    """

    def __init__(self, dim: int, classes: int, **others: Any) -> None:
        super().__init__(dim, classes, **{"scale": 1.0, **others})

    def similarity(self, embeddings: Tensor, weight: Tensor) -> Tensor:
        """Return inner products."""
        return embeddings @ weight.T

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Return it as it is."""
        return own
