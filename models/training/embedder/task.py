"""The training of an embedder, as a task of the loop."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from icf.errors import BadInput, BadModel, WrongUse
from icf.models.cards import ModelCard
from icf.models.data.crop_cache import CropCutter, Crops, cut_crops
from icf.models.data.index import DataIndex
from icf.models.training import losses
from icf.models.training.config import TrainingConfig
from icf.models.training.embedder import network as networks
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import ROOM, Batch, EmbedderBatches, Examples
from icf.models.training.embedder.export import export
from icf.models.training.embedder.figures import LabelledCrops, measure
from icf.models.training.embedder.held_out import Division, divide, stable_name
from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.task import Facts, Given, Group, Measured, Moment

#: The part with the class centres.
LOSS = "loss"
#: Side of crops, where the configuration does not say it.
_SIDE = 112
#: Enlargement of boxes, where neither the configuration nor the start model says it.
_CROP_RATE = 0.5


class EmbedderTask:
    """An embedder's networks, data, losses and figures.

    Args:
        config: of the run.
        net: the trained network.
        loss: with a centre for each identity.
        batches: of the crops.
        measured_on: the held-out crops, by group.
        identities: the names of the classes, in their order.
        before: the network as it was at the start, where the configuration keeps
            embeddings near its; else None.
    """

    config_class: ClassVar[type[TrainingConfig]] = EmbedderConfig
    name = "embedder"
    kept = networks.PART

    def __init__(
        self,
        config: EmbedderConfig,
        net: nn.Module,
        loss: MarginSoftmax,
        batches: EmbedderBatches,
        measured_on: Mapping[str, LabelledCrops],
        identities: Sequence[str],
        before: nn.Module | None,
    ) -> None:
        self.config, self._net, self._loss = config, net, loss
        self._batches, self._measured_on = batches, measured_on
        self._identities, self._before = identities, before

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
        given.data.check_identities()
        net = networks.make_network(config.network, config.loop.seed, given.start)
        side = _side_of(config, given)
        division = divide(given.data, config.held_out)
        examples, identities = _examples(given, config, side, division)
        batches = EmbedderBatches(
            examples,
            side,
            config.loop.batch,
            config.loop.seed,
            config.crops,
            config.augment,
        )
        loss = _make_loss(config, _dim_of(net, side), len(identities))
        return cls(
            config,
            net,
            loss,
            batches,
            _measured_on(given, config, side, division),
            identities,
            copy.deepcopy(net).eval().requires_grad_(False)
            if config.loss.keep
            else None,
        )

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network and the loss."""
        return {networks.PART: self._net, LOSS: self._loss}

    def groups(self) -> Iterator[Group]:
        """Yield the network's parameters and the class centres."""
        yield from networks.groups_of(self._net, self.config.network)
        yield Group(list(self._loss.parameters()))

    def train_mode(self) -> None:
        """Switch to training."""
        networks.training_mode(self._net, self.config.network)
        self._loss.train()

    def batches(self) -> EmbedderBatches:
        """Return what makes the batches."""
        return self._batches

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss of the identities, and that of the change since the start."""
        pixels = batch.pixels.float()
        self._loss.progress = moment.progress
        with moment.autocast():
            embeddings = self._net(pixels)
        embeddings = embeddings.float()
        terms = {"identity": self._loss(embeddings, batch.labels)}
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
        found = measure(lambda crops: network(crops.to(device)), self._measured_on)
        assert self.config.crops.rate is not None
        parameters = {
            "crop_rate": self.config.crops.rate,
            "slope": found.slope,
            "intercept": found.intercept,
        }
        return Measured(found.by_group(), parameters)

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the model's three files."""
        about = {"identities": list(self._identities)}
        return export(network, folder, facts, self.config, self._batches.side, about)


def _with_start(config: EmbedderConfig, given: Given) -> EmbedderConfig:
    """Return the configuration with what the start model decides."""
    rate = config.crops.rate
    network = config.network
    if given.start is not None:
        card = given.start.card
        own = {key: card.parameters.get(key) for key in ("dim", "side")}
        options = {k: None if v is None else int(v) for k, v in own.items()}
        network = network.model_copy(update={"name": card.network, **options})
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


def _examples(
    given: Given, config: EmbedderConfig, side: int, division: Division
) -> tuple[Examples, tuple[str, ...]]:
    """Cut the crops to train on; return them, and the names of their classes."""
    rate = config.crops.rate
    assert rate is not None
    roomy = CropCutter((1 + rate) * ROOM - 1, round(side * ROOM))
    data, crops = given.data, _cut(given, roomy, division.trained)
    known, labels = np.unique(data.identity[crops.faces], return_inverse=True)
    if len(known) < 2:
        raise BadInput(
            f"only {len(known)} identities have a face that could be cut; an embedder "
            "needs two at least"
        )
    if config.loop.batch % config.crops.per_identity:
        raise WrongUse(
            f"loop.batch = {config.loop.batch} is no multiple of crops.per_identity = "
            f"{config.crops.per_identity}"
        )
    if config.crops.per_identity == 1 and len(crops) < config.loop.batch:
        raise BadInput(
            f"there are {len(crops)} faces to train on, fewer than loop.batch = "
            f"{config.loop.batch}; lower it, or add data"
        )
    pictures = data.picture[crops.faces]
    stated = any(source.share is not None for source in data.sources)
    examples = Examples(
        crops,
        np.where(np.isnan(data.boxes[crops.faces, 0]), 1.0, 1 / ROOM),
        labels.astype(np.int64),
        data.source[pictures],
        data.shares(pictures.astype(np.intp)) if stated else None,
        _PictureNames(data, pictures),
    )
    return examples, tuple(stable_name(data, int(number)) for number in known)


def _measured_on(
    given: Given, config: EmbedderConfig, side: int, division: Division
) -> dict[str, LabelledCrops]:
    """Cut the held-out crops, exactly as the filter does before it embeds them."""
    faces, group = division.held_out, "held out"
    if not len(faces):
        faces, group = division.trained, "trained on"
        given.say(
            "too few identities to hold some out: the figures are of faces that were "
            "trained on"
        )
    # Whole identities, until there are enough.
    random = np.random.default_rng(config.held_out.seed)
    identity = given.data.identity[faces]
    order = random.permutation(np.unique(identity))
    sizes = np.bincount(identity)[order]
    taken = max(2, int(np.searchsorted(sizes.cumsum(), config.held_out.most, "right")))
    faces = faces[np.isin(identity, order[:taken])]
    assert config.crops.rate is not None
    crops = _cut(given, CropCutter(config.crops.rate, side), faces)
    pixels = np.empty((len(crops), side, side, 3), np.uint8)
    for number in range(len(crops)):
        pixels[number] = crops.pixels(number)
    labels = given.data.identity[crops.faces].astype(np.int64)
    stacked = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return {group: LabelledCrops(stacked, labels)}


def _cut(given: Given, cutter: CropCutter, faces: NDArray[np.intp]) -> Crops:
    crops = cut_crops(given.data, given.cache, cutter, faces)
    for each in crops.skipped:
        given.say(str(each))
    return crops


def _make_loss(config: EmbedderConfig, dim: int, classes: int) -> MarginSoftmax:
    try:
        return losses.create(
            config.loss.name, dim=dim, classes=classes, **config.loss.options
        )
    except TypeError as error:
        raise WrongUse(
            f"loss.options do not fit the loss {config.loss.name!r}: {error}"
        ) from error


def _side_of(config: EmbedderConfig, given: Given) -> int:
    if config.network.side is not None:
        return config.network.side
    return _SIDE


def _dim_of(network: nn.Module, side: int) -> int:
    with torch.no_grad():
        found: Tensor = network.eval()(torch.zeros(1, 3, side, side))
    if found.ndim != 2:
        raise BadModel(
            f"{type(network).__name__} gives {tuple(found.shape)} for one crop; an "
            "embedder gives n x dim"
        )
    return int(found.shape[1])


class _PictureNames(Sequence[str]):
    """The names of the crops' pictures, made when they are asked for."""

    def __init__(self, data: DataIndex, pictures: NDArray[np.int32]) -> None:
        self._data, self._pictures = data, pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, number: int) -> str:  # type: ignore[override]
        picture = int(self._pictures[number])
        source = self._data.sources[self._data.source[picture]]
        return f"{source.reader.name}: {self._data.keys[picture]}"
