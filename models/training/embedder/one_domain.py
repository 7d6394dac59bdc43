"""Training on identities, whether drawn or photographed, with one loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from icf.errors import WrongUse
from icf.models.training import losses
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import Batch, EmbedderBatches
from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.partial_fc import PartialFC
from icf.models.training.task import Moment


class OneDomain:
    """The loss of all identities.

    Args:
        config: of the run.
        batches: of the crops.
        dim: numbers in an embedding.
        classes: number of identities.

    Raises:
        WrongUse: the options do not fit the loss.
        BadModel: there is no such loss.
    """

    def __init__(
        self, config: EmbedderConfig, batches: EmbedderBatches, dim: int, classes: int
    ) -> None:
        self.batches = batches
        self.loss = _make_loss(config, dim, classes)

    @property
    def weights(self) -> tuple[nn.Parameter, ...]:
        """The class centres."""
        return (self.loss.weight,)

    @torch.no_grad()
    def start_from(self, centres: Tensor) -> None:
        """Give the classes their centres.

        Args:
            centres: of all classes of the cast.
        """
        own = self.loss.part(centres) if isinstance(self.loss, PartialFC) else centres
        self.loss.weight.copy_(own)

    def terms(
        self, embeddings: Tensor, batch: Batch, moment: Moment
    ) -> Mapping[str, Tensor]:
        """Return the loss."""
        self.loss.progress = moment.progress
        forbidden = batch.forbidden if len(batch.forbidden) else None
        return {"identity": self.loss(embeddings, batch.labels, forbidden)}


def _make_loss(
    config: EmbedderConfig, dim: int, classes: int
) -> MarginSoftmax | PartialFC:
    name, options = config.loss.name, config.loss.options
    sample = config.loss.sample
    try:
        if sample is None:
            return losses.create(name, dim, classes, **options)
        return PartialFC(
            dim,
            classes,
            name,
            sample,
            config.loss.most_similar,
            seed=config.loop.seed,
            **options,
        )
    except TypeError as error:
        raise WrongUse(f"loss.options do not fit the loss {name!r}: {error}") from error
