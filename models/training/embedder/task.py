"""The training of an embedder, as a task of the loop."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.catalogue.labels.doubtful import FILE, write_doubtful
from icf.errors import BadModel, WrongUse
from icf.models.cards import ModelCard
from icf.models.trained_on import IDENTITIES_BEFORE
from icf.models.training.config import TrainingConfig
from icf.models.training.embedder import network as networks
from icf.models.training.embedder.centres import read_cast, starting_centres
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import EmbedderBatches
from icf.models.training.embedder.doubtful import find_doubtful, named
from icf.models.training.embedder.export import export
from icf.models.training.embedder.faces import TrainingFaces, training_faces
from icf.models.training.embedder.figures import embedded, measure
from icf.models.training.embedder.one_domain import OneDomain
from icf.models.training.embedder.two_domains import TwoDomains
from icf.models.training.losses.subcenter_arcface import SubcenterArcFace
from icf.models.training.start import Start
from icf.models.training.task import Batches, Facts, Given, Group, Measured, Moment

#: The part with the class centres.
LOSS = "loss"
#: Faces of an identity whose mean a new centre is, at most.
_OF_MEAN = 32
#: Side of crops, where the configuration does not say it.
_SIDE = 112
#: Enlargement of boxes, where neither the configuration nor the start model says it.
_CROP_RATE = 0.5


class EmbedderTask:
    """An embedder's networks, data, losses and figures.

    Args:
        config: of the run.
        net: the trained network.
        goal: the losses with the class centres, and their batches.
        faces: what is trained and measured on.
        before: the network as it was at the start, where the configuration keeps
            embeddings near its; else None.
        given: what it is made of.
    """

    config_class: ClassVar[type[TrainingConfig]] = EmbedderConfig
    name = "embedder"
    kept = networks.PART

    def __init__(
        self,
        config: EmbedderConfig,
        net: nn.Module,
        goal: OneDomain | TwoDomains,
        faces: TrainingFaces,
        before: nn.Module | None,
        given: Given,
    ) -> None:
        self.config, self._net, self._goal = config, net, goal
        self._faces, self._before, self._given = faces, before, given

    @classmethod
    def make(cls, given: Given) -> EmbedderTask:
        """Make the task of one run.

        Raises:
            BadInput: there are fewer than two identities, or fewer pictures than a
                batch needs of each.
            WrongUse: the configuration does not fit the data or the start model.
            BadModel: there is no such network or loss.
        """
        config = given.config
        assert isinstance(config, EmbedderConfig)
        config = _with_start(config, given)
        net = networks.make_network(config.network, config.loop.seed, given.start)
        side = config.network.side or _SIDE
        faces = training_faces(given, config, side)
        batches = EmbedderBatches(
            faces.examples,
            side,
            config.loop.batch,
            config.loop.seed,
            config.crops,
            config.augment,
        )
        dim = _dim_of(net, side)
        goal: OneDomain | TwoDomains
        if config.adaptation.on:
            goal = TwoDomains(config, batches, dim)
        else:
            goal = OneDomain(config, batches, dim, len(faces.cast.names))
        if given.start is not None:
            goal.start_from(_centres(goal, net, faces, side, given.start))
        before = None
        if config.loss.keep:
            before = copy.deepcopy(net).eval().requires_grad_(False)
        return cls(config, net, goal, faces, before, given)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network and the loss."""
        return {networks.PART: self._net, LOSS: self._goal.loss}

    def groups(self) -> Iterator[Group]:
        """Yield the network's parameters and the class centres."""
        yield from networks.groups_of(self._net, self.config.network)
        yield Group(list(self._goal.loss.parameters()))

    def train_mode(self) -> None:
        """Switch to training."""
        networks.training_mode(self._net, self.config.network)
        self._goal.loss.train()

    def batches(self) -> Batches:
        """Return what makes the batches."""
        return self._goal.batches

    def losses(self, batch: Any, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss of the identities, and that of the change since the start."""
        pixels = batch.pixels.float()
        with moment.autocast():
            embeddings = self._net(pixels)
        embeddings = embeddings.float()
        terms = dict(self._goal.terms(embeddings, batch, moment))
        if self._before is not None:
            self._before.to(pixels.device)
            with torch.no_grad(), moment.autocast():
                before = self._before(pixels)
            cosine = functional.cosine_similarity(embeddings, before.float())
            terms["change"] = self.config.loss.keep * (1 - cosine.mean())
        return terms

    def measure(self, network: nn.Module) -> Measured:
        """Measure on the held-out identities."""
        device = next(network.parameters()).device
        found = measure(
            lambda crops: network(crops.to(device)), self._faces.measured_on
        )
        assert self.config.crops.rate is not None
        parameters = {
            "crop_rate": self.config.crops.rate,
            "slope": found.slope,
            "intercept": found.intercept,
        }
        return Measured(found.by_group(), parameters)

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the model's three files, and the faces that the loss doubts."""
        cast = self._faces.cast
        parts = {**facts.parts, **cast.stored()}
        facts = dataclasses.replace(facts, parts=parts)
        side = self._goal.batches.side
        about = cast.about()
        start = None
        if self._given.start is not None:
            start = self._given.start.path
            before = self._given.start.known.identities - set(cast.names)
            about |= {IDENTITIES_BEFORE: sorted(before)}
        if isinstance(self._goal.loss, SubcenterArcFace):
            self._write_doubtful(network, self._goal.loss, folder / FILE)
        return export(network, folder, facts, self.config, side, about, start)

    def _write_doubtful(
        self, network: nn.Module, loss: SubcenterArcFace, path: Path
    ) -> None:
        examples = self._faces.examples
        found = find_doubtful(network, loss, examples, self._goal.batches.side)
        faces = named(found, self._given.data, examples.crops[0].faces)
        write_doubtful(path, faces)
        trained_on = len(examples.labels)
        self._given.say(f"{len(faces)} of {trained_on} labels are doubtful: {path}")


def _with_start(config: EmbedderConfig, given: Given) -> EmbedderConfig:
    """Return the configuration with what the start model decides."""
    rate = config.crops.rate
    network = config.network
    if given.start is not None:
        card = given.start.card
        network = networks.of_start(network, card)
        if rate is None:
            rate = card.parameters.get("crop_rate")
    elif config.loss.keep:
        raise WrongUse(
            "loss.keep keeps embeddings as a start model gives them: name one with "
            "--from, or set it to 0"
        )
    crops = config.crops.model_copy(
        update={"rate": _CROP_RATE if rate is None else rate}
    )
    return config.model_copy(update={"network": network, "crops": crops})


def _centres(
    goal: OneDomain | TwoDomains,
    net: nn.Module,
    faces: TrainingFaces,
    side: int,
    start: Start,
) -> Tensor:
    """Return the centres that the classes had, or the means of their faces."""
    before, cast, given = read_cast(start), faces.cast, faces.examples
    rows = {
        number: np.flatnonzero(cast.classes == number)[:_OF_MEAN]
        for number, name in enumerate(cast.names)
        if name not in before.names
    }
    wanted = np.concatenate([np.empty(0, np.intp), *rows.values()]).tolist()
    vectors = embedded(net.eval(), given.plain(wanted, side))
    means = torch.zeros(len(cast.names), goal.weights[0].shape[-1])
    first = 0
    for number, own in rows.items():
        means[number] = torch.from_numpy(vectors[first : first + len(own)].mean(0))
        first += len(own)
    return starting_centres(before, start, cast, means, goal.weights[0])


def _dim_of(network: nn.Module, side: int) -> int:
    name = type(network).__name__
    try:
        with torch.no_grad():
            found = network.eval()(torch.zeros(1, 3, side, side))
    except (RuntimeError, ValueError, AssertionError) as error:
        first = str(error).partition("\n")[0]
        raise BadModel(
            f"{name} cannot embed a crop of {side} pixels: {first}; name a network "
            "for embedders, or another network.side"
        ) from error
    if not isinstance(found, Tensor) or found.ndim != 2:
        raise BadModel(
            f"{name} is no embedder's network: it does not give n x dim for n crops"
        )
    return int(found.shape[1])
