"""Training on drawn and photographed faces at once: section 4 of the paper.

Half of a batch is drawn, half photographed; a quarter of each half goes to the other
domain's classifier, without a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from icf.errors import WrongUse
from icf.models.training.adaptation.composition import HUMAN, TwoDomainBatch, compose
from icf.models.training.adaptation.multi_task import MultiTask
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import EmbedderBatches, Examples, Numbers
from icf.models.training.task import Moment, Rank

#: Tells the order of a batch from what it is made of.
_OF_ORDER = 2


class Batch(NamedTuple):
    """Crops of both domains.

    Attributes:
        pixels: n x 3 x side x side, uint8, RGB.
        labels: n, int64, the class of each within its domain.
        domains: n, int64, `HUMAN` or `CARTOON`.
        labelled: n, bool; False: the other domain's classifier gets it, as unknown.
    """

    pixels: Tensor
    labels: Tensor
    domains: Tensor
    labelled: Tensor


@dataclass(frozen=True, eq=False)
class Domain:
    """The crops of one domain, and their classes.

    Attributes:
        rows: shape (k,), their numbers among all examples.
        classes: shape (c,), the classes that they have, numbers of the cast.
        labels: shape (k,), int64: for each crop the place of its class in ``classes``.
    """

    rows: Numbers
    classes: NDArray[np.int64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, examples: Examples, human: bool) -> Domain:
        """Take the crops of one domain.

        Raises:
            WrongUse: it has fewer than two identities.
        """
        rows = np.flatnonzero(examples.human == human)
        classes, labels = np.unique(examples.labels[rows], return_inverse=True)
        if len(classes) < 2:
            what = "photographed" if human else "drawn"
            raise WrongUse(
                f"adaptation.on needs drawn and photographed faces with identities; "
                f"{len(classes)} identities are {what}. Add data, such as "
                "folders+human:DIR"
            )
        return cls(rows, classes, labels.astype(np.int64))


@dataclass(frozen=True, eq=False)
class TwoDomainBatches:
    """Draws batches of both domains; each follows from the seed and the step.

    Attributes:
        inner: cuts and changes the crops.
        human: those photographed.
        cartoon: those drawn.
        unlabelled: share of each half that is of the other domain.
    """

    inner: EmbedderBatches
    human: Domain
    cartoon: Domain
    unlabelled: float

    @property
    def side(self) -> int:
        """Side of a crop, in pixels."""
        return self.inner.side

    @property
    def examples(self) -> int:
        """How many crops an epoch has: each drawn one once, in half of each batch."""
        return 2 * len(self.cartoon.rows)

    def batch(self, step: int, rank: Rank) -> Batch:
        """Draw a rank's part of the batch of a step."""
        plan = self._plan(step)
        rows = np.arange(self.inner.count)[rank.part(self.inner.count)]
        own = self._order(step)[rows]
        human = plan.domains == HUMAN
        chosen = np.empty(len(human), np.intp)
        labels = np.empty(len(human), np.int64)
        for domain, here in ((self.human, human), (self.cartoon, ~human)):
            chosen[here] = domain.rows[plan.pictures[here]]
            labels[here] = domain.labels[plan.pictures[here]]
        return Batch(
            self.inner.changed(step, rows, chosen[own]),
            torch.from_numpy(labels[own]),
            torch.from_numpy(plan.domains[own]),
            torch.from_numpy(plan.labelled[own]),
        )

    def pictures(self, step: int) -> list[str]:
        """Return the names of the pictures in the batch of a step."""
        plan = self._plan(step)
        domains = (self.human if z == HUMAN else self.cartoon for z in plan.domains)
        pairs = zip(domains, plan.pictures.tolist(), strict=True)
        return [self.inner.given.names[int(d.rows[number])] for d, number in pairs]

    def _plan(self, step: int) -> TwoDomainBatch:
        return compose(
            step,
            self.inner.seed,
            len(self.human.rows),
            len(self.cartoon.rows),
            self.inner.count,
            self.unlabelled,
        )

    def _order(self, step: int) -> Numbers:
        """Mix the domains, so that every rank has both."""
        random = np.random.default_rng((self.inner.seed, step, _OF_ORDER))
        return random.permutation(self.inner.count)


class TwoDomains:
    """The losses of both domains.

    Args:
        config: of the run.
        batches: of one domain, to be divided.
        dim: numbers in an embedding.

    Raises:
        WrongUse: a domain has too few identities, or PartialFC is asked for.
    """

    def __init__(
        self, config: EmbedderConfig, batches: EmbedderBatches, dim: int
    ) -> None:
        settings = config.adaptation
        if config.loss.sample is not None:
            raise WrongUse(
                "adaptation.on and loss.sample exclude each other: leave one out"
            )
        human, cartoon = (
            Domain.of(batches.given, photographed) for photographed in (True, False)
        )
        self.batches = TwoDomainBatches(batches, human, cartoon, settings.unlabelled)
        self.loss = MultiTask(
            dim,
            len(human.classes),
            len(cartoon.classes),
            config.loss.name,
            settings.unknown,
            settings.unknown_over,
            settings.domain,
            settings.alpha,
            settings.beta,
            settings.gamma,
            **config.loss.options,
        )

    @cached_property
    def weights(self) -> tuple[nn.Parameter, nn.Parameter]:
        """The centres of the human and of the cartoon classifier."""
        return self.loss.human.weight, self.loss.cartoon.weight

    @torch.no_grad()
    def start_from(self, centres: Tensor) -> None:
        """Give both classifiers their centres.

        Args:
            centres: of all classes of the cast.
        """
        domains = self.batches.human, self.batches.cartoon
        for domain, weight in zip(domains, self.weights, strict=True):
            weight.copy_(centres[torch.from_numpy(domain.classes)])

    def terms(
        self, embeddings: Tensor, batch: Batch, moment: Moment
    ) -> Mapping[str, Tensor]:
        """Return the terms of equation 4, weighted."""
        found: dict[str, Tensor] = self.loss(
            embeddings, batch.labels, batch.domains, batch.labelled, moment.progress
        )
        return found
