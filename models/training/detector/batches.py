"""The batches of a detector's training; each follows from the seed and its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icf.models.data.picture_cache import ReducedPictures
from icf.models.training.detector.augment import augmented, mosaic
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.sample import Sample, read_sample
from icf.models.training.detector.targets import Faces, padded
from icf.models.training.task import Rank


class Batch(NamedTuple):
    """Pictures of one size, n x 3 x side x side in 0..255, uint8, and their faces."""

    pictures: Tensor
    faces: Faces


@dataclass(frozen=True)
class Plan:
    """What a step trains on, over all ranks.

    Attributes:
        side: of its pictures.
        pictures: their numbers in the index.
    """

    side: int
    pictures: NDArray[np.intp]


@dataclass(frozen=True)
class PictureBatches:
    """Batches of pictures of an index, each source with its share.

    Attributes:
        data: the pictures to train on.
        config: of the run.
    """

    data: ReducedPictures
    config: DetectorConfig

    @property
    def examples(self) -> int:
        """Return how many pictures there are."""
        return len(self.data)

    @cached_property
    def _of_source(self) -> list[NDArray[np.intp]]:
        return [
            np.flatnonzero(self.data.index.source == number)
            for number in range(len(self.data.index.sources))
        ]

    @cached_property
    def _bounds(self) -> NDArray[np.float64]:
        return np.cumsum(self.data.index.shares())

    def plan(self, step: int) -> Plan:
        """Choose side and pictures of a step.

        Every source gets its share of each batch to within a picture. Within a source
        pictures are drawn, none twice in a batch unless there are too few.
        """
        random = np.random.default_rng((self.config.loop.seed, step))
        settings = self.config.pictures
        chances = np.array(settings.chances or [1.0] * len(settings.sides))
        side = settings.sides[
            int(random.choice(len(chances), p=chances / chances.sum()))
        ]
        total = pictures_of(side, max(settings.sides), self.config.loop.batch)
        places = (np.arange(total) + random.random()) / total
        source = np.searchsorted(self._bounds, places, side="right")
        source = np.minimum(source, len(self._bounds) - 1)
        chosen = np.empty(total, np.intp)
        for number, own in enumerate(self._of_source):
            here = np.flatnonzero(source == number)
            if len(here):
                few = len(here) > len(own)
                chosen[here] = own[random.choice(len(own), len(here), replace=few)]
        # The ranks take parts of the batch: each gets pictures of every source.
        return Plan(side, random.permutation(chosen))

    def batch(self, step: int, rank: Rank) -> Batch:
        """Return a rank's part of the batch of a step."""
        plan = self.plan(step)
        part = rank.part(len(plan.pictures))
        slots = range(len(plan.pictures))[part]
        return stacked([self._sample(plan, step, slot) for slot in slots])

    def pictures(self, step: int) -> Sequence[str]:
        """Return the names of the pictures of a step."""
        return [
            f"{self.data.index.sources[int(self.data.index.source[i])].reader.name}: "
            f"{self.data.index.keys[i]}"
            for i in self.plan(step).pictures.tolist()
        ]

    def _sample(self, plan: Plan, step: int, slot: int) -> Sample:
        """Read and change one picture."""
        random = np.random.default_rng((self.config.loop.seed, step, slot))
        first = int(plan.pictures[slot])
        if plan.side < 128 or random.random() >= self.config.augment.mosaic:
            return self._changed(first, plan.side, random)
        own = self._of_source[int(self.data.index.source[first])]
        others = own[random.integers(len(own), size=3)].tolist()
        half = plan.side // 2
        return mosaic([self._changed(i, half, random) for i in (first, *others)])

    def _changed(self, picture: int, side: int, random: np.random.Generator) -> Sample:
        settings = self.config.pictures
        sample = read_sample(self.data, picture)
        if settings.incomplete == "background":
            sample = replace(sample, complete=True)
        return augmented(sample, side, self.config.augment, settings, random)


def pictures_of(side: int, largest: int, batch: int) -> int:
    """Return how many pictures of a side a batch has: as many as take equal work.

    Args:
        side: of the pictures.
        largest: the largest side of the run.
        batch: pictures of the largest side in a batch.

    >>> [pictures_of(side, 320, 8) for side in (192, 256, 320)]
    [20, 12, 8]
    """
    # In steps of half a batch, so that ranks can still divide it.
    return max(1, int(2 * (largest / side) ** 2) * batch // 2)


def stacked(samples: Sequence[Sample]) -> Batch:
    """Stack pictures of one size."""
    pictures = np.stack([sample.pixels for sample in samples]).transpose(0, 3, 1, 2)
    faces = padded(
        [torch.from_numpy(sample.boxes) for sample in samples],
        [torch.from_numpy(sample.kinds) for sample in samples],
        [torch.from_numpy(sample.ignored) for sample in samples],
        [sample.complete for sample in samples],
    )
    return Batch(torch.from_numpy(np.ascontiguousarray(pictures)), faces)
