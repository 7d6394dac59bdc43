"""The batches of an embedder's training: which crops, and how they are changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icf.models.data.crop_cache import Crops
from icf.models.training.embedder.augment import augmented
from icf.models.training.embedder.config import AugmentSettings, CropSettings
from icf.models.training.task import Rank

#: How much larger than what the network sees a crop is cut, so that it can be moved.
ROOM = 1.2

Numbers = NDArray[np.intp]


class Batch(NamedTuple):
    """Crops and who they show.

    Attributes:
        pixels: n x 3 x side x side, uint8, RGB.
        labels: n, int64, the class of each.
    """

    pixels: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Examples:
    """What can be drawn into a batch: k crops.

    Attributes:
        crops: their pixels.
        views: shape (k,): which part of a crop's side the network is to see.
        labels: shape (k,), int64: the class of each.
        sources: shape (k,): which source of the data each is from.
        shares: shape (sources,): how much of what is trained on comes from each;
            None: in proportion.
        names: of the pictures, for messages.
    """

    crops: Crops
    views: NDArray[np.float64]
    labels: NDArray[np.int64]
    sources: NDArray[np.int32]
    shares: NDArray[np.float64] | None
    names: Sequence[str]


@dataclass(frozen=True, eq=False)
class EmbedderBatches:
    """Draws and changes crops; a batch follows from the seed and the step alone.

    With one crop of an identity in a batch, and no stated shares, every face comes once
    an epoch. Otherwise faces are drawn at random: a source by its share, in it an
    identity, of that one its faces.

    Attributes:
        given: what can be drawn.
        side: of a crop, in pixels.
        count: crops in a batch, over all ranks.
        seed: of the run.
        crops: how to draw.
        augment: how to change.
    """

    given: Examples
    side: int
    count: int
    seed: int
    crops: CropSettings
    augment: AugmentSettings

    @property
    def examples(self) -> int:
        """How many crops an epoch has."""
        return len(self.given.labels)

    def batch(self, step: int, rank: Rank) -> Batch:
        """Draw a rank's part of the batch of a step."""
        rows = range(self.count)[rank.part(self.count)]
        chosen = self.chosen(step)
        pixels = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for place, row in enumerate(rows):
            number = int(chosen[row])
            # Each row has a generator of its own, whichever rank makes it.
            random = np.random.default_rng((self.seed, step, row))
            pixels[place] = augmented(
                self.given.crops.pixels(number),
                float(self.given.views[number]),
                self.side,
                self.augment,
                random,
            )
        labels = self.given.labels[chosen[rows.start : rows.stop]]
        return Batch(
            torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(labels)
        )

    def pictures(self, step: int) -> list[str]:
        """Return the names of the pictures in the batch of a step."""
        return [self.given.names[number] for number in self.chosen(step)]

    def chosen(self, step: int) -> Numbers:
        """Return which crops the batch of a step has."""
        if self.crops.per_identity == 1 and self.given.shares is None:
            return self._in_turn(step)
        return self._at_random(np.random.default_rng((self.seed, step)))

    def _in_turn(self, step: int) -> Numbers:
        """Go through all crops, in another order each epoch."""
        places = np.arange(step * self.count, (step + 1) * self.count)
        epochs, within = np.divmod(places, self.examples)
        chosen = np.empty(self.count, np.intp)
        for epoch in np.unique(epochs):
            order = _order(self.seed, int(epoch), self.examples)
            chosen[epochs == epoch] = order[within[epochs == epoch]]
        return chosen

    def _at_random(self, random: np.random.Generator) -> Numbers:
        ways = self.crops.per_identity
        pools = self._pools
        shares = [pool.share for pool in pools]
        chosen: list[NDArray[np.intp]] = []
        for _ in range(-(-self.count // ways)):
            pool = pools[int(random.choice(len(pools), p=shares))]
            identity = int(random.choice(len(pool.chances), p=pool.chances))
            own = pool.faces[pool.ends[identity] : pool.ends[identity + 1]]
            # Different faces of one identity, as far as it has them.
            some = [random.permutation(len(own)) for _ in range(-(-ways // len(own)))]
            chosen.append(own[np.concatenate(some)[:ways]])
        return np.concatenate(chosen)[: self.count]

    @property
    def _pools(self) -> list[_Pool]:
        return _pools_of(self)


@dataclass(frozen=True, eq=False)
class _Pool:
    """The crops of one source, by identity.

    Attributes:
        share: of what is drawn.
        chances: of each identity.
        faces: its crops, one identity behind the other.
        ends: where each identity's begin, and the last ends.
    """

    share: float
    chances: NDArray[np.float64]
    faces: Numbers
    ends: Numbers


@lru_cache(maxsize=2)
def _pools_of(batches: EmbedderBatches) -> list[_Pool]:
    given = batches.given
    present = np.unique(given.sources)
    counts = np.bincount(given.sources)[present]
    shares = counts if given.shares is None else given.shares[present]
    pools = []
    for source, share in zip(present, shares / shares.sum(), strict=True):
        faces = np.flatnonzero(given.sources == source)
        faces = faces[np.argsort(given.labels[faces], kind="stable")]
        _, sizes = np.unique(given.labels[faces], return_counts=True)
        weights = sizes ** (1 - batches.crops.balance)
        ends = np.concatenate([[0], np.cumsum(sizes)])
        pools.append(_Pool(float(share), weights / weights.sum(), faces, ends))
    return pools


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> Numbers:
    return np.random.default_rng((seed, 0, epoch)).permutation(count)
