"""The bundled detector's training: scenes that are composed while it runs."""

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

from icf.errors import WrongUse
from icf.models.anchors import SMALL
from icf.models.cards import ModelCard, new_card, save_card
from icf.models.detection import Detector as OpenedDetector
from icf.models.formats.icf_detector import IcfDetector
from icf.models.networks import create
from icf.models.networks.centerface import CenterFaceScores
from icf.models.networks.detector_base import INPUT
from icf.models.networks.face_retinanet import FaceRetinaNet
from icf.models.networks.published_weights import read_state
from icf.models.networks.small_retinanet import SmallRetinaNet
from icf.models.runtime.network import open_network
from icf.models.training.config import TrainingConfig
from icf.models.training.detector import carding, targets
from icf.models.training.detector import losses as detector_losses
from icf.models.training.detector.batches import Batch, pictures_of
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.export import export
from icf.models.training.detector.near_start import NearStart
from icf.models.training.detector.norms import training_mode
from icf.models.training.drawn import detector_figures, licences, mining
from icf.models.training.drawn.soft_target import SoftTarget
from icf.models.training.export import MAX_BYTES
from icf.models.training.run_state import save_parts
from icf.models.training.task import Facts, Given, Group, Measured, Moment, Rank
from icf.tools.training_art import compose, heads, sources
from icf.tools.training_art.scene_art import scene_art

PART = "detector"
#: The network of recipes that name none.
DEFAULT = "retinanet-mobilenetv2"
LIMITS = (
    "It was trained on generated and modelled heads, icons and a few hundred drawings; "
    "only the modelled ones are shown from several sides: it misses profiles, masks, "
    "animals' faces and some painted and black-and-white art.",
    "Faces under 12 pixels, in the view that it sees, are not found.",
    "Its only photographed people in training were two portraits and a hundred tiny "
    'faces: of 246 photographed faces it calls none "human". The judge of photographs '
    "tells them. It must not be used to find people.",
)


@dataclass(frozen=True)
class DrawnScenes:
    """Composes the batches; a worker process reads the art itself.

    Attributes:
        config: of the run.
    """

    config: DetectorConfig

    @property
    def examples(self) -> int:
        """How many heads there are."""
        return sum(len(own) for own in self._art.heads.values())

    def batch(self, step: int, rank: Rank) -> Batch:
        """Compose the scenes of a step."""
        pictures, scenes = self.config.pictures, self.config.scenes
        random = np.random.default_rng((self.config.loop.seed, step))
        chances = np.array(pictures.chances or [1.0] * len(pictures.sides))
        chosen = int(random.choice(len(chances), p=chances / chances.sum()))
        side = pictures.sides[chosen]
        count = pictures_of(side, max(pictures.sides), self.config.loop.batch)
        shares = compose.Shares(scenes.drawings, scenes.faceless, scenes.objects)
        made = [compose.compose(self._art, side, random, shares) for _ in range(count)]
        return as_batch(made[rank.part(count)])

    def pictures(self, step: int) -> list[str]:
        """Return what can be said of a composed batch: its seed."""
        return [f"scenes of seed ({self.config.loop.seed}, {step})"]

    @cached_property
    def _art(self) -> heads.Art:
        art, mined = scene_art(), self.config.scenes.mined
        if not mined:
            return art
        return dataclasses.replace(art, mined=mining.read(Path(mined)))

    def __getstate__(self) -> dict[str, DetectorConfig]:
        """Leave the art out of what a worker process gets."""
        return {"config": self.config}


def as_batch(scenes: list[compose.Scene]) -> Batch:
    """Stack scenes of one size."""
    pictures = torch.from_numpy(np.stack([scene.pixels for scene in scenes]))
    faces = targets.padded(
        [torch.from_numpy(scene.boxes) for scene in scenes],
        [torch.from_numpy(scene.kinds) for scene in scenes],
        [torch.from_numpy(scene.ignored) for scene in scenes],
        [True] * len(scenes),
    )
    return Batch(pictures.permute(0, 3, 1, 2), faces)


class DrawnDetectorTask:
    """The bundled detector's network, scenes, losses and figures.

    Args:
        config: of the run.
        network: with the weights that it starts from.
        teacher: CenterFace, if it teaches.
        like: the ONNX file of the model that it starts from, if there is one.
        folded: whether its norms were folded into its weights: then they keep their
            statistics, where the configuration does not say otherwise.
    """

    config_class: ClassVar[type[TrainingConfig]] = DetectorConfig
    name = "detector"
    kept = PART

    def __init__(
        self,
        config: DetectorConfig,
        network: SmallRetinaNet,
        teacher: SoftTarget | None = None,
        like: Path | None = None,
        folded: bool = False,
    ) -> None:
        self.config, self._network, self._teacher = config, network, teacher
        self._like = like
        self._norms = config.network.norms or ("frozen" if folded else "heads")
        frozen = config.network.frozen
        stages = network.stages()
        count = network.frozen if frozen is None else frozen
        self._frozen = [module for stage in stages[:count] for module in stage]
        for module in self._frozen:
            module.requires_grad_(False)
        self._backbone = [module for stage in stages for module in stage]
        learning = [p for module in self._backbone for p in module.parameters()]
        keep = config.network.keep
        self._near_start = NearStart(learning, keep) if keep else None

    @classmethod
    def make(cls, given: Given) -> DrawnDetectorTask:
        """Make the task of one run.

        Raises:
            WrongUse: CenterFace is to teach another network.
        """
        config = given.config
        assert isinstance(config, DetectorConfig)
        torch.manual_seed(config.loop.seed)
        network = create(config.network.name or DEFAULT)
        assert isinstance(network, SmallRetinaNet)
        like = None if given.start is None else given.start.path
        if not isinstance(network, FaceRetinaNet):
            if config.scenes.teacher:
                raise WrongUse(
                    f"scenes.teacher: CenterFace teaches retinanet-centerface, and not "
                    f"{config.network.name or DEFAULT}"
                )
            network.load_published(read_state(sources.mobilenet_weights()))
            if given.start is not None:
                given.start.load_into(network, PART)
            return cls(config, network, like=like)
        published = CenterFaceScores()
        published.load(sources.centerface_weights())
        network.load_published(published.body.state_dict())
        if given.start is not None:
            given.start.load_into(network, PART)
        teacher = SoftTarget(published) if config.scenes.teacher else None
        folded = given.start is not None and not given.start.parts
        return cls(config, network, teacher, like, folded)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {PART: self._network}

    def groups(self) -> Iterator[Group]:
        """Yield the new layers, and the backbone's later ones at a lower rate."""
        backbone = [p for module in self._backbone for p in module.parameters()]
        known = {id(p) for p in backbone}
        yield Group([p for p in self._network.parameters() if id(p) not in known])
        yield Group(
            [p for p in backbone if p.requires_grad], self.config.network.backbone_rate
        )

    def train_mode(self) -> None:
        """Switch to training, but for the norms that are frozen."""
        learning = self._backbone[len(self._frozen) :]
        training_mode(self._network, self._norms, self._frozen, learning)

    def batches(self) -> DrawnScenes:
        """Return what makes the batches."""
        return DrawnScenes(self.config)

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss of the classes, that of the boxes, and what is added."""
        pictures = batch.pictures.float()
        fine: Tensor | None = None
        with moment.autocast():
            if self._teacher is not None:
                assert isinstance(self._network, FaceRetinaNet)
                logits, offsets, fine = self._network.seen(pictures)
            else:
                logits, offsets = self._network(pictures)
        height, width = batch.pictures.shape[2:]
        reference = torch.from_numpy(SMALL.anchors(height, width).copy())
        reference = reference.to(batch.pictures.device)
        wanted = targets.assign(reference, batch.faces)
        classes, boxes = detector_losses.losses(
            logits.float(), offsets.float(), wanted, reference, SMALL, "smooth_l1"
        )
        found = {"classes": classes, "boxes": boxes}
        if self._teacher is not None and fine is not None:
            self._teacher.to(pictures.device)
            soft = self._teacher.loss(fine.float(), pictures, batch.faces)
            found["teacher"] = self.config.scenes.teacher * soft
        if self._near_start is not None:
            found["near start"] = self._near_start.loss()
        return found

    def measure(self, network: nn.Module) -> Measured:
        """Return no figures: they are those of the exported file, see `export`."""
        return Measured({}, carding.parameters(self.config))

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the model, measure the file on held-out styles, and write its card."""
        assert isinstance(network, SmallRetinaNet)
        path = folder / "detector.onnx"
        shift = self.config.scenes.shift
        if shift is not None:
            assert network.classes.bias is not None
            with torch.no_grad():
                network.classes.bias += shift
        export(network, path, MAX_BYTES, self._like)
        grown = isinstance(network, FaceRetinaNet)
        through = f", through model {facts.parent}" if facts.parent else ""
        card = new_card(
            path,
            "detect",
            network.format,
            carding.parameters(self.config),
            network=self.config.network.name or DEFAULT,
            parent=(licences.CENTERFACE if grown else licences.PARENT) + through,
            architecture=network.architecture,
            input=INPUT,
            data=licences.of_scenes(grown),
            seed=facts.seed,
            recipe=facts.recipe,
            limits=LIMITS,
            licence=licences.WEIGHTS,
        )
        opened = OpenedDetector(IcfDetector(open_network(path)), card)
        figures = detector_figures.measure(opened, heads.held_out_art())
        card = dataclasses.replace(card, figures=figures)
        # The next turn goes on from these: norms that are folded would start untrained.
        save_parts(path, card.sha256, facts.parts)
        save_card(card, path.with_suffix(".json"))
        return card
