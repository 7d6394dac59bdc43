"""The bundled embedder's training: crops of drawn heads.

Two crops of each of a batch's identities are redrawn, moved and put on any background.
Drawings of things are identities of their own, and a second loss keeps the features
similar to ImageNet's, or to those of the model that it starts from: both keep them
general.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.cards import ModelCard, new_card, save_card
from icf.models.formats.icf_embedder import SIDE
from icf.models.networks.embedder import FlippedEmbedder, PooledEmbedder
from icf.models.networks.mirrored_embedder import MirroredEmbedder
from icf.models.training import losses
from icf.models.training.config import TrainingConfig
from icf.models.training.drawn import licences
from icf.models.training.drawn.contrast import contrast
from icf.models.training.drawn.embedder_config import DrawnEmbedderConfig, DrawnSettings
from icf.models.training.drawn.face_crops import CROP_RATE, Identities, Pixels, crop
from icf.models.training.embedder import network as networks
from icf.models.training.embedder.crops import Batch
from icf.models.training.embedder.export import export_onnx
from icf.models.training.embedder.figures import LabelledCrops, measure
from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.task import Facts, Given, Group, Measured, Moment, Rank
from icf.tools.training_art import heads, make, sources
from icf.tools.training_art.real import figures as real
from icf.tools.training_art.real import sources as real_sources

#: Crops of each held-out identity, and the share that is redrawn: most cartoons have
#: one drawing style.
VIEWS, REDRAWN = 4, 0.25
_SEED = 1
#: Drawings by people, of characters from several sides, that are held out of training.
_HELD_OUT = ("kenney", "freedoom")
#: What probabilities are fitted on: these, and modelled people on other days, who are
#: hard to tell apart. A curve of easy art alone is far too sure on other art.
CALIBRATED_ON = (*_HELD_OUT, make.OTHER_DAYS)
#: Share of the pictures of people on other days that are repainted.
_REPAINTED = 0.7
#: The file is a part of every copy of the program.
MAX_EMBEDDER_BYTES = 12_000_000
_MIRRORED = ", of the crop and of its mirror image"
_MIRRORING = (MirroredEmbedder, FlippedEmbedder)
#: The name of the network that is exported with `drawn.flipped`.
_FLIPPED = "embedder-mobilenetv2-flipped"

LIMITS = (
    "Only modelled people change their hair, clothes and age in its training: a "
    "character that changes them is often taken for another one.",
    "It is less accurate on black-and-white art, profiles and figures without a face.",
    "Its only photographed people in training were two portraits and a hundred tiny "
    "faces; it must not be used to identify people.",
    "Its probabilities were fitted on game figures and repainted modelled people; "
    "other art needs its own calibration.",
)


@dataclass(frozen=True)
class DrawnCrops:
    """Draws the batches; a worker process reads the art itself.

    Attributes:
        seed: of the run.
        count: crops in a batch.
        side: of a crop, in pixels.
        settings: whose crops, and how they are changed.
    """

    seed: int
    count: int
    side: int
    settings: DrawnSettings

    @property
    def examples(self) -> int:
        """How many identities there are: an epoch is one pair of crops of each."""
        return 2 * len(self._identities.pictures)

    @property
    def identities(self) -> int:
        """How many classes there are."""
        return len(self._identities.pictures)

    def batch(self, step: int, rank: Rank) -> Batch:
        """Draw two crops of each identity of a batch."""
        random = np.random.default_rng((self.seed, step))
        labels = self._labels(random)
        crops = []
        for label in labels:
            pictures = self._identities.pictures[int(label)]
            head = pictures[int(random.integers(len(pictures)))]
            crops.append(self._crop(head, random))
        part = rank.part(self.count)
        pixels = torch.from_numpy(np.stack(crops)[part]).permute(0, 3, 1, 2)
        none = torch.empty(0, 2, dtype=torch.int64)
        return Batch(pixels, torch.from_numpy(labels[part]), none)

    def pictures(self, step: int) -> list[str]:
        """Return the numbers of the identities of a step."""
        labels = self._labels(np.random.default_rng((self.seed, step)))
        return [f"identity {label}" for label in labels]

    def _crop(self, head: heads.Head, random: np.random.Generator) -> Pixels:
        redrawn, repainted = self.settings.redrawn, self.settings.repainted
        return crop(
            head,
            self._art,
            random,
            redrawn=redrawn,
            side=self.side,
            repainted=repainted,
        )

    def _labels(
        self, random: np.random.Generator
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        some = self._identities.draw(self.count // 2, self.settings.styles, random)
        return np.repeat(some, 2)

    @cached_property
    def _art(self) -> heads.Art:
        return heads.training_art()

    @cached_property
    def _identities(self) -> Identities:
        given = self.settings
        figures = _trained_on(real.figures()) if given.real else None
        return Identities.of(self._art, given.modelled, figures, given.real)

    def __getstate__(self) -> dict[str, object]:
        """Leave the art out of what a worker process gets."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


class DrawnEmbedderTask:
    """The bundled embedder's networks, data, losses and figures.

    Args:
        config: of the run.
        net: the trained network, with ImageNet's weights or the start model's.
        before: the same, as it was.
        loss: with a centre for each identity.
        batches: of the crops.
        like: the ONNX file of the start model, if there is one.
    """

    config_class: ClassVar[type[TrainingConfig]] = DrawnEmbedderConfig
    name = "embedder"
    kept = networks.PART

    def __init__(
        self,
        config: DrawnEmbedderConfig,
        net: PooledEmbedder,
        before: PooledEmbedder,
        loss: MarginSoftmax,
        batches: DrawnCrops,
        like: Path | None = None,
    ) -> None:
        self.config, self._net, self._loss = config, net, loss
        self._before, self._batches, self._like = before, batches, like

    @classmethod
    def make(cls, given: Given) -> DrawnEmbedderTask:
        """Make the task of one run."""
        config = given.config
        assert isinstance(config, DrawnEmbedderConfig)
        if given.start is None:
            weights = {"weights": str(sources.mobilenet_weights())}
            network = config.network.model_copy(update=weights)
        else:
            network = networks.of_start(config.network, given.start.card)
        config = config.model_copy(update={"network": network})
        net, before = (
            networks.make_network(network, config.loop.seed, given.start)
            for _ in range(2)
        )
        assert isinstance(net, PooledEmbedder)
        assert isinstance(before, PooledEmbedder)
        side = config.network.side or SIDE
        batches = DrawnCrops(config.loop.seed, config.loop.batch, side, config.drawn)
        loss = losses.create(
            config.loss.name,
            net.project.out_features,
            batches.identities,
            **config.loss.options,
        )
        # Ranks wait for the gradient of everything that is trained.
        loss.requires_grad_(config.drawn.centres > 0)
        before.eval().requires_grad_(False)
        like = None if given.start is None else given.start.path
        return cls(config, net, before, loss, batches, like)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network and the loss."""
        return {networks.PART: self._net, "loss": self._loss}

    def groups(self) -> Iterator[Group]:
        """Yield the network's parameters and the class centres."""
        yield from networks.groups_of(self._net, self.config.network)
        yield Group(list(self._loss.parameters()))

    def train_mode(self) -> None:
        """Switch to training."""
        networks.training_mode(self._net, self.config.network)
        self._loss.train()

    def batches(self) -> DrawnCrops:
        """Return what makes the batches."""
        return self._batches

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the losses of the identities, and that of the change from before."""
        pixels, net, drawn = batch.pixels.float(), self._net, self.config.drawn
        self._loss.progress = moment.progress
        self._before.to(pixels.device)
        # The first blocks are frozen, equal in both networks, and run once.
        shared = net.frozen_blocks
        with moment.autocast():
            with torch.no_grad():
                maps = net.begun(pixels, shared)
                before = self._before.pooled_after(maps, shared).float()
            pooled = net.pooled_after(maps, shared).float()
        embeddings = net.head(pooled)
        similarity = functional.cosine_similarity(pooled, before).mean()
        terms = {"change": self.config.loss.keep * (1 - similarity)}
        if drawn.centres:
            identity = self._loss(embeddings, batch.labels)
            terms["identity"] = drawn.centres * identity
        if drawn.contrast:
            compared = contrast(embeddings, batch.labels, drawn.contrast_scale)
            terms["contrast"] = drawn.contrast * compared
        return terms

    def measure(self, network: nn.Module) -> Measured:
        """Measure on the held-out styles."""
        network = self._exported(network)
        device = next(network.parameters()).device
        groups = CALIBRATED_ON if self.config.drawn.real else None
        found = measure(lambda crops: network(crops.to(device)), self._held_out, groups)
        figures = {**found.by_group(), "mean": found.summary()}
        curve = {"slope": found.slope, "intercept": found.intercept}
        return Measured(figures, {"crop_rate": CROP_RATE, **curve})

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the model and its card."""
        path = folder / "embedder.onnx"
        side = self._batches.side
        network = self._exported(network)
        through = f", through model {facts.parent}" if facts.parent else ""
        options = networks.options_of(self.config.network)
        dim = export_onnx(network, path, side, MAX_EMBEDDER_BYTES, self._like)
        card = new_card(
            path,
            "embed",
            "icf-embedder-onnx",
            {**facts.measured.parameters, **{k: float(v) for k, v in options.items()}},
            network=_FLIPPED
            if isinstance(network, FlippedEmbedder)
            else self.config.network.name,
            parent=f"{licences.PARENT}{through}",
            licence=licences.WEIGHTS,
            architecture=(
                "MobileNetV2, its middle features, pooled over quarters, and its last"
                f"{_MIRRORED if isinstance(network, _MIRRORING) else ''}, "
                f"projected to {dim} numbers"
            ),
            input=(
                f"n x 3 x {side} x {side}, RGB, 0 to 255: the face's square, enlarged"
            ),
            data=self._data(),
            seed=facts.seed,
            recipe=facts.recipe,
            figures=facts.measured.figures,
            limits=LIMITS,
        )
        save_card(card, path.with_suffix(".json"))
        return card

    def _exported(self, network: nn.Module) -> nn.Module:
        """Return the network that is exported, with the same weights."""
        if not self.config.drawn.flipped or isinstance(network, _MIRRORING):
            return network
        flipped = FlippedEmbedder()
        flipped.load_state_dict(network.state_dict())
        return flipped.to(next(network.parameters()).device).eval()

    def _data(self) -> tuple[Mapping[str, str], ...]:
        if not self.config.drawn.real:
            return licences.DATA
        return (
            *licences.DATA,
            *(
                source.for_card()
                for source in real_sources.SOURCES
                if source.name not in _HELD_OUT
            ),
            licences.REPAINTER,
        )

    @cached_property
    def _held_out(self) -> dict[str, LabelledCrops]:
        art = heads.held_out_art()
        if self.config.drawn.real:
            by_people = real.figures()
            held = {name: by_people[name] for name in _HELD_OUT if name in by_people}
            every = {**art.heads, **held, **heads.other_days()}
            art = dataclasses.replace(art, heads=every)
        return crops_to_measure_on(art, self._batches.side)


def _trained_on(figures: Mapping[str, list[heads.Head]]) -> dict[str, list[heads.Head]]:
    return {name: own for name, own in figures.items() if name not in _HELD_OUT}


def crops_to_measure_on(art: heads.Art, side: int = SIDE) -> dict[str, LabelledCrops]:
    """Draw the crops to measure on: always the same ones.

    Args:
        art: the held-out art.
        side: of a crop, in pixels.

    Returns:
        By style; styles of a single character cannot be measured and are left out.
    """
    random = np.random.default_rng(_SEED)
    drawn = {}
    for style, own_style in sorted(art.heads.items()):
        identities = sorted({head.identity for head in own_style})
        if len(identities) < 2:
            continue
        crops, labels = [], []
        repainted = _REPAINTED if style == make.OTHER_DAYS else 0.0
        for label, identity in enumerate(identities):
            own = [head for head in own_style if head.identity == identity]
            for view in range(VIEWS):
                head = own[view % len(own)]
                crops.append(crop(head, art, random, 1.0, REDRAWN, side, repainted))
                labels.append(label)
        pixels = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
        drawn[style] = LabelledCrops(
            torch.from_numpy(pixels), np.array(labels, np.int64)
        )
    return drawn
