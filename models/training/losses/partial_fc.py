"""PartialFC: a batch is compared with its own classes and a sample of the others.

An et al. 2022, "Killing Two Birds with One Stone: Efficient and Robust Training of Face
Recognition CNNs by Partial FC", arXiv:2203.15565. For millions of classes, and for
noisy ones: a wrongly labelled face meets its true class as a negative less often.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from icf.errors import WrongUse
from icf.models.training import losses
from icf.models.training.losses.across_ranks import Ranks
from icf.models.training.losses.base import Columns, wide, without_autocast

#: Class centres that are drawn from one seed.
_BLOCK = 4096
#: Odd constants of the splitmix64 generator (Steele et al. 2014), as signed numbers.
_STEP, _FIRST, _SECOND = (
    -7046029254386353131,
    -4658895280553007687,
    -7723592293110705685,
)


class PartialFC(nn.Module):
    """A loss of `icf.models.training.losses` over a sample of the classes.

    The classes of the batch are always in. Of the others each is in by a chance of
    ``rate``, drawn from the seed, the step and the class alone: the same on any number
    of ranks. A negative whose cosine with a face is over ``most_similar`` does not
    count for this face (section 3.3: it is likely the face's true class under a wrong
    label, or the same identity twice).

    With torch.distributed each rank holds the centres of a part of the classes, and the
    batches of all ranks, equally large, are compared with all of them. The gradients of
    the centres are whole; those of the embeddings are such that their mean over the
    ranks is whole, so wrap the network in DistributedDataParallel, and this loss not.

    Args:
        dim: numbers in an embedding.
        classes: number of identities, on all ranks together.
        loss: name of the loss.
        rate: share of the other classes that is drawn, above 0, up to 1.
        most_similar: as above, a cosine; None: every negative counts. insightface has
            0.4.
        seed: of the first centres and of what is drawn.
        group: of ranks; None: all.
        options: of the loss.

    Attributes:
        loss: the loss, with this rank's centres.
        first: number of the first class of this rank.
        step: steps that were trained; a buffer.

    Raises:
        WrongUse: the rate, or the number of classes, does not fit.
    """

    step: Tensor

    def __init__(
        self,
        dim: int,
        classes: int,
        loss: str = "arcface",
        rate: float = 0.1,
        most_similar: float | None = None,
        seed: int = 0,
        group: distributed.ProcessGroup | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.ranks = Ranks(group)
        if not 0 < rate <= 1:
            raise WrongUse(f"the share of classes must be in (0, 1], not {rate}")
        if classes < self.ranks.count:
            raise WrongUse(
                f"{classes} classes cannot be divided among {self.ranks.count} ranks"
            )
        self.classes, self.rate, self.seed = classes, rate, seed
        self.most_similar = most_similar
        self.first, end = self._part(self.ranks.rank)
        self.loss = losses.create(loss, dim, end - self.first, **options)
        with torch.no_grad():
            self.weight.copy_(_first_centres(self.weight, self.first, seed))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @property
    def weight(self) -> nn.Parameter:
        """This rank's class centres."""
        return self.loss.weight

    @property
    def progress(self) -> float:
        """Share of the training that is done."""
        return self.loss.progress

    @progress.setter
    def progress(self, value: float) -> None:
        self.loss.progress = value

    def forward(
        self, embeddings: Tensor, labels: Tensor, forbidden: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss over the batches of all ranks.

        Args:
            embeddings: shape (n, dim), n the same on every rank.
            labels: shape (n,), int64, in [0, classes); -1: not known.
            forbidden: shape (m, 2), int64: rows of this batch, and classes that they
                are not; on all ranks or on none. Such a class is always in, however
                similar; else as in `MarginSoftmax`.

        Returns:
            Shape (), the same on every rank.
        """
        with without_autocast(embeddings):
            gathered = self.ranks.gathered(wide(embeddings))
            labels = self.ranks.gathered(labels)
            denied = self._denied(forbidden, len(embeddings))
            return self._loss(gathered, labels, denied)

    def whole(self, part: Tensor) -> Tensor:
        """Return the rows of all classes, from this rank's: centres, or their momentum.

        To be called on all ranks.
        """
        return self.ranks.concatenated(part.detach())

    def part(self, whole: Tensor) -> Tensor:
        """Return this rank's rows of those of all classes."""
        return whole[self.first : self.first + len(self.weight)]

    def _part(self, rank: int) -> tuple[int, int]:
        """Return the classes of a rank; the first ranks have one more."""
        each, more = divmod(self.classes, self.ranks.count)
        first = rank * each + min(rank, more)
        return first, first + each + (rank < more)

    def _denied(self, forbidden: Tensor | None, rows: int) -> Tensor | None:
        if forbidden is None:
            return None
        offset = forbidden.new_tensor([self.ranks.rank * rows, 0])
        return self.ranks.concatenated(forbidden + offset)

    def _loss(
        self, embeddings: Tensor, labels: Tensor, denied: Tensor | None
    ) -> Tensor:
        drawn = self._drawn(
            labels if denied is None else torch.cat([labels, denied[:, 1]])
        )
        index = drawn.nonzero()[:, 0]
        place = torch.where(drawn, drawn.cumsum(0) - 1, -1)
        similarity = self.loss.similarity(embeddings, self._centres(index))
        own = self._columns(place, labels)
        pairs = None
        if denied is not None:
            pairs = torch.stack([denied[:, 0], self._columns(place, denied[:, 1])], 1)
        left_out = self._left_out(similarity, own, labels >= 0, pairs)
        if not len(index):  # a rank whose classes were all left out of this batch
            similarity = similarity.new_zeros(len(labels), 1)
            left_out = torch.ones_like(similarity, dtype=torch.bool)
        columns = Columns(own, labels >= 0, pairs, left_out)
        lengths = torch.linalg.vector_norm(embeddings, dim=1)
        loss = self.loss.over(similarity, lengths, columns, self.ranks)
        penalty = self.loss.penalty(lengths)
        # Every rank has the whole penalty, and its gradients are summed over the ranks.
        share = penalty / self.ranks.count
        return loss + share + (penalty - share).detach()

    def _drawn(self, needed: Tensor) -> Tensor:
        """Return which of this rank's classes are in, for a batch that needs some."""
        count = len(self.weight)
        ids = torch.arange(self.first, self.first + count, device=needed.device)
        if self.rate == 1 or not self.training:
            return torch.ones_like(ids, dtype=torch.bool)
        drawn = _chances(ids, self.step, self.seed) < self.rate
        self.step += 1
        local = needed - self.first
        # One more place, for the classes of other ranks.
        elsewhere = (needed < 0) | (local < 0) | (local >= count)
        mine = torch.zeros(count + 1, dtype=torch.bool, device=needed.device)
        mine[torch.where(elsewhere, count, local)] = True
        return drawn | mine[:count]

    def _columns(self, place: Tensor, classes: Tensor) -> Tensor:
        """Return the columns of classes; -1: not on this rank."""
        local = classes - self.first
        here = (classes >= 0) & (local >= 0) & (local < len(place))
        return torch.where(here, place[local.clamp(0, len(place) - 1)], -1)

    def _centres(self, index: Tensor) -> Tensor:
        if len(index) == len(self.weight):
            return wide(self.weight)
        flat = self.weight.flatten(1)
        rows = functional.embedding(index, flat)
        return wide(rows.view(len(index), *self.weight.shape[1:]))

    def _left_out(
        self, similarity: Tensor, own: Tensor, known: Tensor, pairs: Tensor | None
    ) -> Tensor | None:
        """Return which negatives are too similar to which faces."""
        if self.most_similar is None:
            return None
        similar = (similarity.detach() > self.most_similar) & known[:, None]
        keep = [torch.stack([torch.arange(len(own), device=own.device), own], 1)]
        keep += [] if pairs is None else [pairs]
        rows, columns = torch.cat(keep).T
        # One more column, for what is on other ranks.
        kept = torch.zeros(len(own), similarity.shape[1] + 1, dtype=torch.bool)
        kept = kept.to(own.device)
        kept[rows, columns] = True  # -1 is the last column
        return similar & ~kept[:, :-1]


def _chances(ids: Tensor, step: Tensor, seed: int) -> Tensor:
    """Return a number in [0, 1) of each class at a step, the same on every device."""
    x = ids + (step * 1_000_003 + seed) * _STEP
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        x = (x ^ _shifted(x, shift)) * factor
    x = x ^ _shifted(x, 31)
    return _shifted(x, 11).double() / 2.0**53


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Shift int64 to the right as if it had no sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _first_centres(like: Tensor, first: int, seed: int) -> Tensor:
    """Draw the first centres of some classes, the same for any division of them."""
    count, shape = len(like), like.shape[1:]
    blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
    drawn = []
    for block in blocks:
        generator = torch.Generator().manual_seed(((seed << 32) + block) % 2**64)
        drawn.append(0.01 * torch.randn(_BLOCK, *shape, generator=generator))
    offset = first - blocks[0] * _BLOCK
    return torch.cat(drawn)[offset : offset + count].to(like)
