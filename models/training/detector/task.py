"""A detector's training, as the loop drives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from icf.errors import BadInput, BadModel, WrongUse
from icf.models.cards import ModelCard
from icf.models.data.index import DataIndex
from icf.models.data.picture_cache import (
    PictureReducer,
    ReducedPictures,
    reduce_pictures,
)
from icf.models.networks import create
from icf.models.networks.detector_base import DetectorNetwork
from icf.models.networks.published_weights import read_state
from icf.models.trained_on import PICTURES, PICTURES_BEFORE, picture_id
from icf.models.training.config import TrainingConfig
from icf.models.training.detector import carding, held_out, losses, targets
from icf.models.training.detector.batches import Batch, PictureBatches
from icf.models.training.detector.config import DetectorConfig, NetworkSettings, Norms
from icf.models.training.detector.norms import training_mode
from icf.models.training.detector.opened import as_detector
from icf.models.training.start import Start
from icf.models.training.task import Batches, Facts, Given, Group, Measured, Moment

#: The small network, for processors.
DEFAULT = "retinanet-mobilenetv2"
#: The name of the one part that is trained.
PART = "detector"
#: Fewer pictures than this are reduced in this process: others take a second to start.
_FEW = 64


@dataclass(frozen=True)
class Learning:
    """What of a network is trained.

    Attributes:
        frozen: stages of the backbone that stay as they are.
        norms: batch norms that learn.
    """

    frozen: int
    norms: Norms

    @classmethod
    def of(
        cls, settings: NetworkSettings, network: DetectorNetwork, goes_on: bool
    ) -> Learning:
        """Take what is not given from what the network starts from.

        Raises:
            WrongUse: the backbone has fewer stages.
        """
        stages = len(network.stages())
        frozen, norms = settings.frozen, settings.norms
        if frozen is None:
            frozen = network.frozen if goes_on or settings.weights else 0
        if frozen > stages:
            raise WrongUse(
                f"network.frozen = {frozen}: this backbone has {stages} stages"
            )
        if norms is None:
            norms = "heads" if settings.weights else "trained"
            norms = "frozen" if goes_on else norms
        return cls(frozen, norms)


@dataclass(frozen=True, eq=False)
class DetectorTask:
    """The training of one detector.

    Attributes:
        config: of the run.
        network_name: which network it is.
        network: what is trained.
        trained_on: pictures to train on.
        held: pictures to measure on.
        notes: what was said about the data and the weights, for the card.
        learning: what of the network is trained.
        start: the model that it started from; None: none.
    """

    config_class: ClassVar[type[TrainingConfig]] = DetectorConfig

    config: DetectorConfig
    network_name: str
    network: DetectorNetwork
    trained_on: ReducedPictures
    held: ReducedPictures
    notes: tuple[str, ...]
    learning: Learning
    start: Start | None = None
    _anchors: dict[tuple[int, int, torch.device], Tensor] = field(default_factory=dict)

    @classmethod
    def make(cls, given: Given) -> DetectorTask:
        """Make the task of one run."""
        config = cast(DetectorConfig, given.config)
        index = given.data
        index.check_boxes()
        named, network, notes = _network(config, given.start)
        longest = PictureReducer(config.pictures.longest)
        few = 0 if len(index) < _FEW else None
        data = reduce_pictures(index, given.cache, longest, few)
        for left_out in data.skipped:
            given.say(str(left_out))
        data.index.check_boxes()
        use = held_out.held_out(data.index, config.held_out, config.loop.seed)
        trained_on = _some(data, (use == 0) & _trainable(data.index, config))
        held = _some(data, use == 1)
        trained_on.index.check_boxes()
        notes += _said_of_crops(data.index)
        notes += (*_said_of(trained_on.index, config), *_said_of_held(held.index))
        learning = Learning.of(config.network, network, given.start is not None)
        for line in notes:
            given.say(line)
        return cls(
            config, named, network, trained_on, held, notes, learning, given.start
        )

    @property
    def name(self) -> str:
        """Return the file name of the model."""
        return PART

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the network."""
        return {PART: self.network}

    @property
    def kept(self) -> str:
        """Return the name of the network."""
        return PART

    def groups(self) -> Iterable[Group]:
        """Return the parameters: the backbone's learn more slowly."""
        frozen, open_ = self._stages()
        for module in frozen:
            module.requires_grad_(False)
        backbone = [p for module in open_ for p in module.parameters()]
        known = {id(p) for module in (*frozen, *open_) for p in module.parameters()}
        others = [p for p in self.network.parameters() if id(p) not in known]
        yield Group(others)
        if backbone:
            yield Group(backbone, self.config.network.backbone_rate)

    def train_mode(self) -> None:
        """Switch to training, but for the norms that are frozen."""
        training_mode(self.network, self.learning.norms, *self._stages())

    def batches(self) -> Batches:
        """Return what makes the batches."""
        return PictureBatches(self.trained_on, self.config)

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss of the classes and that of the boxes."""
        settings = self.config.loss
        with moment.autocast():
            logits, offsets = self.network(batch.pictures.float())
        reference = self._reference(batch.pictures)
        classes, boxes = losses.losses(
            logits.float(),
            offsets.float(),
            targets.assign(reference, batch.faces),
            reference,
            self.network.geometry,
            cast(losses.BoxLoss, settings.boxes or self.network.box_loss),
            settings.per_picture,
        )
        return {"classes": classes, "boxes": settings.weight * boxes}

    def measure(self, network: nn.Module) -> Measured:
        """Measure on held-out pictures."""
        trained = cast(DetectorNetwork, network)
        detector = as_detector(trained, carding.blank(trained, self.config))
        found = held_out.measure(detector, self.held, self.config.held_out)
        return Measured({**found.figures, **self.config.mix.tried}, found.parameters)

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the detector with its card."""
        trained = cast(DetectorNetwork, network)
        return carding.export_with_card(
            trained,
            self.network_name,
            self.config,
            folder,
            replace(facts, parts={**facts.parts, **self._seen()}),
            self.notes,
            None if self.start is None else self.start.path,
        )

    def _seen(self) -> dict[str, Tensor]:
        """What stands for the pictures of this training, and of those before it."""
        index = self.trained_on.index
        own = set()
        for number in range(len(index)):
            with suppress(BadInput):  # read when the training began, and lost since
                own.add(picture_id(index.sha256(number)))
        before = frozenset[int]() if self.start is None else self.start.known.pictures
        return {
            PICTURES: torch.tensor(sorted(own), dtype=torch.int64),
            PICTURES_BEFORE: torch.tensor(sorted(before - own), dtype=torch.int64),
        }

    def _stages(self) -> tuple[list[nn.Module], list[nn.Module]]:
        """The frozen parts of the backbone, and those that learn."""
        stages = self.network.stages()
        return (
            [module for stage in stages[: self.learning.frozen] for module in stage],
            [module for stage in stages[self.learning.frozen :] for module in stage],
        )

    def _reference(self, pictures: Tensor) -> Tensor:
        height, width = pictures.shape[2:]
        key = height, width, pictures.device
        if key not in self._anchors:
            anchors = self.network.geometry.anchors(height, width)
            self._anchors[key] = torch.from_numpy(anchors.copy()).to(pictures.device)
        return self._anchors[key]


def _network(
    config: DetectorConfig, start: Start | None
) -> tuple[str, DetectorNetwork, tuple[str, ...]]:
    """Make the network with its first weights; its name, and what to say of these.

    Raises:
        BadModel: it is no detector's, or the weights are another network's.
        WrongUse: the configuration asks for two networks.
    """
    named = config.network.name
    if start is not None:
        if named and named != start.card.network:
            raise WrongUse(
                f"network.name = {named}, but --from {start.path} is a "
                f"{start.card.network}; leave one of them out"
            )
        if config.network.weights:
            raise WrongUse(
                f"network.weights = {config.network.weights} and --from {start.path}: "
                "a training starts from one of them; leave the other out"
            )
        named = start.card.network
    named = named or DEFAULT
    torch.manual_seed(config.loop.seed)
    network = create(named)
    if not isinstance(network, DetectorNetwork):
        raise BadModel(f"network.name = {named}: that is no detector's network")
    if start is not None:
        start.load_into(network, PART)
        return named, network, ()
    if not config.network.weights:
        return named, network, ("the network starts from random weights",)
    path = Path(config.network.weights).expanduser()
    said = network.load_published(read_state(path))
    return named, network, ((f"{path.name}: {said}",) if said else ())


def _some(data: ReducedPictures, mask: NDArray[np.bool_]) -> ReducedPictures:
    return ReducedPictures(
        data.index.select(mask), data.pictures.select(mask), data.skipped
    )


def _trainable(index: DataIndex, config: DetectorConfig) -> NDArray[np.bool_]:
    """Which pictures can be trained on: those with a box, or without any face."""
    boxed = np.bincount(index.picture, ~np.isnan(index.boxes[:, 0]), len(index)) > 0
    good = boxed | index.complete
    if config.pictures.incomplete == "leave_out":
        good &= index.complete
    if not good.any():
        raise BadInput(
            "no picture is known to have all its faces labelled, and "
            "pictures.incomplete = leave_out leaves out all others; take near"
        )
    return good


def _said_of(index: DataIndex, config: DetectorConfig) -> tuple[str, ...]:
    """What a reader of the card should know of the boxes."""
    said = []
    total = len(index)
    if unchecked := total - int(index.checked.sum()):
        said.append(
            f"the boxes of {unchecked:,} of {total:,} training pictures are only a "
            "detector's own: nobody looked at them, so its faults are learnt too"
        )
    incomplete = total - int(index.complete.sum())
    if incomplete and config.pictures.incomplete == "near":
        said.append(
            f"in {incomplete:,} of {total:,} training pictures perhaps not all faces "
            "are labelled: there, background counts only near labelled faces"
        )
    return tuple(said)


def _said_of_crops(index: DataIndex) -> tuple[str, ...]:
    boxed = np.bincount(index.picture, ~np.isnan(index.boxes[:, 0]), len(index)) > 0
    crops = int((~boxed & (np.diff(index.first) > 0)).sum())
    if not crops:
        return ()
    return (f"left out {crops:,} pictures that are crops of a face, without a box",)


def _said_of_held(index: DataIndex) -> tuple[str, ...]:
    if not len(index) or index.complete.all():
        return ()
    return (
        f"in {len(index) - int(index.complete.sum()):,} of {len(index):,} held-out "
        "pictures perhaps not all faces are labelled: AP50 and precision are at least "
        "what is said",
    )
