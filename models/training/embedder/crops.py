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
from icf.models.training.embedder.augment import Pixels, augmented, plain
from icf.models.training.embedder.config import AugmentSettings, CropSettings
from icf.models.training.task import Rank

#: How much larger than what the network sees a crop is cut, so that it can be moved.
ROOM = 1.2

#: How often a row has a face of whom only is known who it is not.
_DENIED_EVERY = 8
#: Tells the random numbers of these from those of the others.
_OF_DENIED = 1

Numbers = NDArray[np.intp]


class Batch(NamedTuple):
    """Crops and who they show.

    Attributes:
        pixels: n x 3 x side x side, uint8, RGB.
        labels: n, int64, the class of each; -1: not known.
        forbidden: m x 2, int64: a row without a class, and a class that it is not.
    """

    pixels: Tensor
    labels: Tensor
    forbidden: Tensor


@dataclass(frozen=True, eq=False)
class Examples:
    """What can be drawn into a batch: k crops with a class, then d without.

    Attributes:
        crops: those with a class, and those of whom only is known who they are not.
        views: shape (k + d,): which part of a crop's side the network is to see.
        labels: shape (k,), int64: the class of each.
        denied: d times the classes that a crop is not.
        human: shape (k,): whether each is photographed.
        sources: shape (k,): which source of the data each is from.
        shares: shape (sources,): how much of what is trained on comes from each;
            None: in proportion.
        names: of the pictures of all k + d, for messages.
    """

    crops: tuple[Crops, Crops]
    views: NDArray[np.float64]
    labels: NDArray[np.int64]
    denied: tuple[tuple[int, ...], ...]
    human: NDArray[np.bool_]
    sources: NDArray[np.int32]
    shares: NDArray[np.float64] | None
    names: Sequence[str]

    def pixels(self, number: int) -> Pixels:
        """Return a crop with room to be moved."""
        known = len(self.labels)
        if number < known:
            return self.crops[0].pixels(number)
        return self.crops[1].pixels(number - known)

    def plain(self, numbers: Sequence[int], side: int) -> Tensor:
        """Return crops as the network is to see them: n x 3 x side x side, uint8."""
        crops = np.empty((len(numbers), side, side, 3), np.uint8)
        for place, number in enumerate(numbers):
            crops[place] = plain(self.pixels(number), float(self.views[number]), side)
        return torch.from_numpy(crops).permute(0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class EmbedderBatches:
    """Draws and changes crops; a batch follows from the seed and the step alone.

    With one crop of an identity in a batch, and no stated shares, every face comes once
    an epoch. Otherwise faces are drawn at random: a source by its share, in it an
    identity, of that one its faces. Where faces are known not to be somebody, without
    it being known who they are, every `_DENIED_EVERY`-th row has one of these.

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
        rows = np.arange(self.count)[rank.part(self.count)]
        own = self.chosen(step)[rows]
        return Batch(
            self.changed(step, rows, own),
            torch.from_numpy(self._labels(own)),
            torch.from_numpy(self._forbidden(own)),
        )

    def changed(self, step: int, rows: Numbers, chosen: Numbers) -> Tensor:
        """Return crops as the network sees them, changed: n x 3 x side x side, uint8.

        Args:
            step: of the batch.
            rows: their places in the whole batch.
            chosen: their numbers among what is given.
        """
        pixels = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        pairs = zip(rows.tolist(), chosen.tolist(), strict=True)
        for place, (row, number) in enumerate(pairs):
            # Each row has a generator of its own, whichever rank makes it.
            random = np.random.default_rng((self.seed, step, row))
            pixels[place] = augmented(
                self.given.pixels(number),
                float(self.given.views[number]),
                self.side,
                self.augment,
                random,
            )
        return torch.from_numpy(pixels).permute(0, 3, 1, 2)

    def pictures(self, step: int) -> list[str]:
        """Return the names of the pictures in the batch of a step."""
        return [self.given.names[number] for number in self.chosen(step)]

    def chosen(self, step: int) -> Numbers:
        """Return which crops the batch of a step has."""
        if not self.given.denied:
            return self._with_class(step, self.count)
        chosen = np.empty(self.count, np.intp)
        # In equal distances, so that every rank has as many.
        is_denied = np.arange(self.count) % _DENIED_EVERY == _DENIED_EVERY - 1
        count = int(is_denied.sum())
        chosen[~is_denied] = self._with_class(step, self.count - count)
        random = np.random.default_rng((self.seed, step, _OF_DENIED))
        known = len(self.given.labels)
        chosen[is_denied] = known + random.integers(len(self.given.denied), size=count)
        return chosen

    def _with_class(self, step: int, count: int) -> Numbers:
        if self.crops.per_identity == 1 and self.given.shares is None:
            return self._in_turn(step, count)
        return self._at_random(np.random.default_rng((self.seed, step)), count)

    def _labels(self, chosen: Numbers) -> NDArray[np.int64]:
        known = len(self.given.labels)
        labels = self.given.labels[np.minimum(chosen, known - 1)]
        return np.where(chosen < known, labels, -1)

    def _forbidden(self, chosen: Numbers) -> NDArray[np.int64]:
        known = len(self.given.labels)
        pairs = [
            (row, other)
            for row, number in enumerate(chosen.tolist())
            if number >= known
            for other in self.given.denied[number - known]
        ]
        return np.array(pairs, np.int64).reshape(-1, 2)

    def _in_turn(self, step: int, count: int) -> Numbers:
        """Go through all crops, in another order each epoch."""
        places = np.arange(step * count, (step + 1) * count)
        epochs, within = np.divmod(places, self.examples)
        chosen = np.empty(count, np.intp)
        for epoch in np.unique(epochs):
            order = _order(self.seed, int(epoch), self.examples)
            chosen[epochs == epoch] = order[within[epochs == epoch]]
        return chosen

    def _at_random(self, random: np.random.Generator, count: int) -> Numbers:
        ways = self.crops.per_identity
        pools = self._pools
        shares = [pool.share for pool in pools]
        chosen: list[NDArray[np.intp]] = []
        for _ in range(-(-count // ways)):
            pool = pools[int(random.choice(len(pools), p=shares))]
            identity = int(random.choice(len(pool.chances), p=pool.chances))
            own = pool.faces[pool.ends[identity] : pool.ends[identity + 1]]
            # Different faces of one identity, as far as it has them.
            some = [random.permutation(len(own)) for _ in range(-(-ways // len(own)))]
            chosen.append(own[np.concatenate(some)[:ways]])
        return np.concatenate(chosen)[:count]

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
