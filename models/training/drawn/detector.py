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

from icf.models.anchors import SMALL
from icf.models.cards import ModelCard, new_card, save_card
from icf.models.detection import Detector as OpenedDetector
from icf.models.formats.icf_detector import IcfDetector
from icf.models.networks.detector import Detector
from icf.models.networks.mobilenet import load_mobilenet
from icf.models.runtime.network import open_network
from icf.models.training.config import TrainingConfig
from icf.models.training.detector import losses as detector_losses
from icf.models.training.detector import targets
from icf.models.training.detector.batches import Batch
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.export import export
from icf.models.training.drawn import detector_figures, licences
from icf.models.training.export import MAX_BYTES
from icf.models.training.task import Facts, Given, Group, Measured, Moment, Rank
from icf.tools.training_art import compose, heads, sources

PART = "detector"
#: Side of the training pictures, pictures in a batch, and share of the batches.
SIZES = ((192, 20, 0.45), (256, 12, 0.4), (320, 8, 0.15))
PARAMETERS = {"min_score": 0.5, "side": 640.0, "overview": 256.0, "tiles": 1.0}
LIMITS = (
    "It was trained on generated and modelled heads, and only the modelled ones are "
    "shown from several sides: it misses profiles, masks, animals' faces and some "
    "painted and black-and-white art.",
    "Faces under 12 pixels, in the view that it sees, are not found.",
    "Its only photographed people in training were two portraits and a hundred tiny "
    'faces: its kind "human" is a hint. It must not be used to find people.',
)


@dataclass(frozen=True)
class DrawnScenes:
    """Composes the batches; a worker process reads the art itself.

    Attributes:
        seed: of the run.
    """

    seed: int

    @property
    def examples(self) -> int:
        """How many heads there are."""
        return sum(len(own) for own in self._art.heads.values())

    def batch(self, step: int, rank: Rank) -> Batch:
        """Compose the scenes of a step."""
        random = np.random.default_rng((self.seed, step))
        shares = [share for _, _, share in SIZES]
        side, count, _ = SIZES[int(random.choice(len(SIZES), p=shares))]
        scenes = [compose.compose(self._art, side, random) for _ in range(count)]
        return as_batch(scenes[rank.part(count)])

    def pictures(self, step: int) -> list[str]:
        """Return what can be said of a composed batch: its seed."""
        return [f"scenes of seed ({self.seed}, {step})"]

    @cached_property
    def _art(self) -> heads.Art:
        return heads.training_art()

    def __getstate__(self) -> dict[str, int]:
        """Leave the art out of what a worker process gets."""
        return {"seed": self.seed}


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
        network: with ImageNet's weights.
    """

    config_class: ClassVar[type[TrainingConfig]] = DetectorConfig
    name = "detector"
    kept = PART

    def __init__(self, config: DetectorConfig, network: Detector) -> None:
        self.config, self._network = config, network

    @classmethod
    def make(cls, given: Given) -> DrawnDetectorTask:
        """Make the task of one run."""
        config = given.config
        assert isinstance(config, DetectorConfig)
        torch.manual_seed(config.loop.seed)
        network = Detector()
        parts = network.shallow, network.middle, network.deep
        load_mobilenet(sources.mobilenet_weights(), *parts)
        network.shallow.requires_grad_(False)
        return cls(config, network)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {PART: self._network}

    def groups(self) -> Iterator[Group]:
        """Yield the new layers, and the backbone's later ones at a lower rate."""
        net = self._network
        backbone = [*net.middle.parameters(), *net.deep.parameters()]
        known = {id(p) for p in (*backbone, *net.shallow.parameters())}
        yield Group([p for p in net.parameters() if id(p) not in known])
        yield Group(backbone, self.config.network.backbone_rate)

    def train_mode(self) -> None:
        """Switch to training, with the backbone's batch norms frozen."""
        self._network.train()
        for part in (self._network.shallow, self._network.middle, self._network.deep):
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def batches(self) -> DrawnScenes:
        """Return what makes the batches."""
        return DrawnScenes(self.config.loop.seed)

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss of the classes and that of the boxes."""
        with moment.autocast():
            logits, offsets = self._network(batch.pictures.float())
        height, width = batch.pictures.shape[2:]
        reference = torch.from_numpy(SMALL.anchors(height, width).copy())
        reference = reference.to(batch.pictures.device)
        wanted = targets.assign(reference, batch.faces)
        classes, boxes = detector_losses.losses(
            logits.float(), offsets.float(), wanted, reference, SMALL, "smooth_l1"
        )
        return {"classes": classes, "boxes": boxes}

    def measure(self, network: nn.Module) -> Measured:
        """Return no figures: they are those of the exported file, see `export`."""
        return Measured({}, PARAMETERS)

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write the model, measure the file on held-out styles, and write its card."""
        assert isinstance(network, Detector)
        path = folder / "detector.onnx"
        export(network, path, MAX_BYTES)
        card = new_card(
            path,
            "detect",
            "icf-detector-onnx",
            PARAMETERS,
            network="retinanet-mobilenetv2",
            parent=licences.PARENT,
            architecture=(
                "RetinaNet: MobileNetV2, a pyramid of 64 channels at strides 8 to 64, "
                "one tower of two convolutions; cartoon and human faces"
            ),
            input="n x 3 x h x w, RGB, 0 to 255, h and w multiples of 64",
            data=licences.DATA,
            seed=facts.seed,
            recipe=facts.recipe,
            limits=LIMITS,
        )
        opened = OpenedDetector(IcfDetector(open_network(path)), card)
        figures = detector_figures.measure(opened, heads.held_out_art())
        card = dataclasses.replace(card, figures=figures)
        save_card(card, path.with_suffix(".json"))
        return card
