"""What the losses share: softmax over classes, with a margin for the true one.

With x an embedding, w_j the centre of class j and y the true class:

    z_j = s cos(x, w_j),  z_y = s target(cos(x, w_y)),  L = -log softmax(z)_y

and with a focal factor (1 - p)^gamma L, p = softmax(z)_y (Lin et al. 2017,
arXiv:1708.02002, equation 4), for each face by its own p. A loss is one file with a
subclass that has `target`, and what else differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from icf.models.training.losses.across_ranks import Across, OneProcess

Gradient = Literal["exact", "straight_through"]

#: The label of a face whose identity is not known.
UNKNOWN = -1
#: Shorter vectors have no direction: their gradient would overflow float16.
_SHORT = 1e-3


@dataclass(frozen=True)
class Columns:
    """Which classes the columns of a batch's similarities are, n x k.

    Attributes:
        own: n, the column of each face's class; -1: not among these, or not known.
        known: n, whether the face has a label.
        denied: m x 2, a row and a column that people said it is not; -1: not among
            these columns.
        left_out: n x k, where a class does not count for a face; None: all count.
    """

    own: Tensor
    known: Tensor
    denied: Tensor | None = None
    left_out: Tensor | None = None


class MarginSoftmax(nn.Module, ABC):
    """Base of the losses.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        scale: s.
        focal: gamma of the focal factor; 0 is plain cross-entropy.
        gradient: ``"exact"``, or ``"straight_through"``: the value of the margin with
            the gradient of the plain cosine, as in insightface.
        warm_up: share of the training in which the margin grows to its full size; the
            trainer sets `progress`.
        centres: of each class.

    Attributes:
        weight: class centres, classes x dim, or classes x centres x dim.
        progress: share of the training that is done, 0 to 1.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        scale: float = 64.0,
        focal: float = 0.0,
        gradient: Gradient = "exact",
        warm_up: float = 0.0,
        centres: int = 1,
    ) -> None:
        super().__init__()
        shape = (classes, dim) if centres == 1 else (classes, centres, dim)
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.normal_(self.weight, std=0.01)
        self.scale = scale
        self.focal = focal
        self.gradient: Gradient = gradient
        self.warm_up = warm_up
        self.progress = 1.0

    def forward(
        self, embeddings: Tensor, labels: Tensor, forbidden: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss.

        Args:
            embeddings: shape (n, dim), of any length.
            labels: shape (n,), int64, in [0, classes); -1: not known, which adds
                nothing.
            forbidden: shape (m, 2), int64: a row of the batch, and a class that people
                said it is not. A face with a label has that class as a negative
                already. One without adds -log(1 - p), p being the probability of the
                class that it is not: it is pushed away from that class alone, as far
                as the model believed it.

        Returns:
            Shape (), in float32 at least: the mean over the faces with a label and the
            forbidden pairs of those without.
        """
        with without_autocast(embeddings):
            embeddings = wide(embeddings)
            similarity = self.similarity(embeddings, wide(self.weight))
            columns = Columns(labels, labels >= 0, forbidden)
            lengths = torch.linalg.vector_norm(embeddings, dim=1)
            loss = self.over(similarity, lengths, columns, OneProcess())
            return loss + self.penalty(lengths)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Return what softmax makes the probabilities of classes of, without a margin.

        Args:
            embeddings: shape (n, dim).

        Returns:
            Shape (n, classes).
        """
        with without_autocast(embeddings):
            embeddings = wide(embeddings)
            similarity = self.similarity(embeddings, wide(self.weight))
            lengths = torch.linalg.vector_norm(embeddings, dim=1)
            return self.scales(lengths)[:, None] * similarity

    def similarity(self, embeddings: Tensor, weight: Tensor) -> Tensor:
        """Return how near embeddings and classes are: their cosines.

        Args:
            embeddings: n x dim.
            weight: centres of k classes.

        Returns:
            n x k; of several centres of a class the nearest.
        """
        if weight.ndim == 2:
            return unit(embeddings) @ unit(weight).T
        every = unit(embeddings) @ unit(weight.flatten(0, 1)).T
        return every.view(len(embeddings), *weight.shape[:2]).amax(2)

    @abstractmethod
    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Return what takes the place of the true class's similarity.

        Args:
            own: n, the similarity of each face and its class.
            lengths: n, of the embeddings.
        """

    def others(self, similarity: Tensor, target: Tensor) -> Tensor:
        """Return what takes the place of the other classes' similarities, n x k."""
        return similarity

    def scales(self, lengths: Tensor) -> Tensor:
        """Return s of each face."""
        return torch.full_like(lengths, self.scale)

    def penalty(self, lengths: Tensor) -> Tensor:
        """Return what is added for the lengths of the embeddings."""
        return lengths.new_zeros(())

    @torch.no_grad()
    def observe(self, own: Tensor, lengths: Tensor, known: Tensor) -> None:
        """Take the batch into running statistics; in training only."""

    @property
    def grown(self) -> float:
        """The share of the margin that is in force."""
        return min(1.0, self.progress / self.warm_up) if self.warm_up else 1.0

    def over(
        self, similarity: Tensor, lengths: Tensor, columns: Columns, across: Across
    ) -> Tensor:
        """Return the mean loss over some of the classes, on some of the ranks.

        Args:
            similarity: n x k, to the classes of this rank's columns.
            lengths: n, of the embeddings.
            columns: which classes they are.
            across: sums over the columns of all ranks.
        """
        rows = torch.arange(len(similarity), device=similarity.device)
        here, column = columns.own >= 0, columns.own.clamp(min=0)
        own = across.total(torch.where(here, similarity[rows, column], 0.0))
        # Over all ranks the true class must count once: on the rank that has it.
        once = torch.where(here, lengths, lengths.detach())
        if self.training:
            self.observe(own.detach(), lengths.detach(), columns.known)
        target = self.target(own, once)
        if self.gradient == "straight_through":
            target = own + (target - own).detach()
        others = self.others(similarity, target.detach())
        changed = torch.where(here, target, others[rows, column])
        logits = others.index_put((rows, column), changed)
        logits = self.scales(lengths)[:, None] * logits
        counted = logits
        if columns.left_out is not None:
            counted = logits.masked_fill(columns.left_out, -torch.inf)
        losses = across.logsumexp(counted) - self.scales(once) * target
        losses = self._focused(losses)
        total = torch.where(columns.known, losses, 0.0).sum()
        count = columns.known.sum()
        if columns.denied is not None:
            pairs, free = _denials(logits, columns.known, columns.denied, across)
            total, count = total + pairs, count + free
        return total / count.clamp(min=1)

    def _focused(self, losses: Tensor) -> Tensor:
        if not self.focal:
            return losses
        wrong = -torch.expm1(-losses.clamp(min=0))
        # A power below 1 has an infinite slope at 0.
        tiny = torch.finfo(losses.dtype).eps
        return wrong.clamp(min=tiny) ** self.focal * losses


def _denials(
    logits: Tensor, known: Tensor, denied: Tensor, across: Across
) -> tuple[Tensor, Tensor]:
    """Sum -log(1 - p) over the pairs of faces without a label, and count them.

    log(1 - p) is taken as the log of the other classes' sum, which is finite at p = 1.
    """
    rows, columns = denied.T
    of_face = logits[rows]
    index = torch.arange(logits.shape[1], device=logits.device)
    without = of_face.masked_fill(index == columns[:, None], -torch.inf)
    terms = across.logsumexp(of_face) - across.logsumexp(without)
    free = ~known[rows]
    return torch.where(free, terms, 0.0).sum(), free.sum()


def unit(vectors: Tensor) -> Tensor:
    """Bring the rows of n x dim to unit length; those without a direction to 0."""
    lengths = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    units: Tensor = vectors / lengths.clamp(min=_SHORT) * (lengths > _SHORT)
    return units


def wide(numbers: Tensor) -> Tensor:
    """Return float16 and bfloat16 as float32, and the rest as it is."""
    return numbers.float() if numbers.element_size() < 4 else numbers


def without_autocast(numbers: Tensor) -> torch.autocast:
    """Return a context in which products keep their precision.

    bfloat16 has cosines to 0.004; times a scale of 64 that is a quarter of a logit.
    """
    return torch.autocast(numbers.device.type, enabled=False)
