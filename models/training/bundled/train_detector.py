"""Train the bundled detector: ``icf-train detector --out models/bundled``.

Trains on scenes that are composed while it runs (`icf.tools.training_art`). The batch
of step ``n`` depends on the seed and ``n`` alone, and a checkpoint holds everything
else, so an interrupted run resumes exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from icf.models.anchors import SMALL
from icf.models.networks import detector
from icf.models.networks.mobilenet import load_mobilenet
from icf.models.training.bundled.checkpoint import Checkpoint, resumable
from icf.models.training.bundled.run import Run
from icf.models.training.detector import losses as detector_losses
from icf.models.training.detector import targets
from icf.tools.training_art import compose, heads

#: The checkpoint's name in the working folder.
CHECKPOINT = "detector.safetensors"
#: Side of the training pictures, pictures in a batch, and share of the batches.
SIZES = ((192, 20, 0.45), (256, 12, 0.4), (320, 8, 0.15))


@dataclass(frozen=True)
class Recipe:
    """The settings of a run.

    Attributes:
        seed: random seed of the scenes and the initial weights.
        steps: number of batches; the learning rate falls to 0 in the last fifth.
        rate: learning rate of the new layers.
        backbone_rate: of MobileNetV2's later layers; the earlier ones are frozen.
        average: decay of the moving average of the weights, which is the result.
        every: steps between two checkpoints.
    """

    seed: int = 7
    steps: int = 4500
    rate: float = 1e-3
    backbone_rate: float = 2e-4
    average: float = 0.996
    every: int = 50


@dataclass(frozen=True)
class Batch:
    """Pictures of one size, n x 3 x H x W in 0..255, and their faces."""

    pictures: Tensor
    faces: targets.Faces


def batch(art: heads.Art, seed: int, step: int) -> Batch:
    """Compose the batch of one step."""
    random = np.random.default_rng((seed, step))
    shares = [share for _, _, share in SIZES]
    side, count, _ = SIZES[int(random.choice(len(SIZES), p=shares))]
    scenes = [compose.compose(art, side, random) for _ in range(count)]
    return as_batch(scenes)


def as_batch(scenes: list[compose.Scene]) -> Batch:
    """Stack scenes of one size."""
    pictures = np.stack([s.pixels for s in scenes]).transpose(0, 3, 1, 2)
    faces = targets.padded(
        [torch.from_numpy(s.boxes) for s in scenes],
        [torch.from_numpy(s.kinds) for s in scenes],
        [torch.from_numpy(s.ignored) for s in scenes],
        [True] * len(scenes),
    )
    return Batch(torch.from_numpy(np.ascontiguousarray(pictures)).float(), faces)


class Scenes(IterableDataset[Batch]):
    """The batches from step ``first`` on; composed in a process of its own."""

    def __init__(self, recipe: Recipe, first: int) -> None:
        self.recipe, self.first = recipe, first

    def __iter__(self) -> Iterator[Batch]:
        """Yield one batch a step."""
        cv2.setNumThreads(1)
        art = heads.training_art()
        for step in range(self.first, self.recipe.steps):
            yield batch(art, self.recipe.seed, step)


def trainable(network: detector.Detector, recipe: Recipe) -> list[dict[str, object]]:
    """Freeze the early layers and return the parameter groups of the others."""
    network.shallow.requires_grad_(False)
    backbone = [*network.middle.parameters(), *network.deep.parameters()]
    known = {id(p) for p in (*backbone, *network.shallow.parameters())}
    new = [p for p in network.parameters() if id(p) not in known]
    return [
        {"params": new, "lr": recipe.rate},
        {"params": backbone, "lr": recipe.backbone_rate},
    ]


def training_mode(network: detector.Detector) -> None:
    """Switch to training, with the backbone's batch norms frozen."""
    network.train()
    for part in (network.shallow, network.middle, network.deep):
        for module in part.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


def rate_share(step: int, recipe: Recipe) -> float:
    """Return the share of the learning rate at ``step``: rising, constant, falling.

    >>> recipe = Recipe(steps=2000)
    >>> rate_share(1000, recipe), round(rate_share(1800, recipe), 3)
    (1.0, 0.5)
    """
    down = (recipe.steps - step) / (0.2 * recipe.steps)
    return min(1.0, (step + 1) / 100, down)


def losses(network: detector.Detector, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of the classes and that of the boxes."""
    pictures = batch.pictures.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits, offsets = network(pictures)
    height, width = pictures.shape[2:]
    reference = torch.from_numpy(SMALL.anchors(height, width).copy())
    wanted = targets.assign(reference, batch.faces)
    return detector_losses.losses(
        logits.float(), offsets.float(), wanted, reference, SMALL, "smooth_l1"
    )


def train(
    recipe: Recipe,
    folder: Path,
    imagenet: Path,
    report: Callable[[str], None] = print,
    workers: int = 1,
) -> detector.Detector:
    """Train, or resume training.

    Args:
        recipe: of the run.
        folder: of its checkpoint.
        imagenet: file of torchvision's MobileNetV2 weights.
        report: receives a line of JSON at every checkpoint.
        workers: processes that compose scenes; 0 composes them here.

    Returns:
        The network with the average of its weights.

    Raises:
        WrongUse: the run in ``folder`` has another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / CHECKPOINT
    found = resumable(checkpoint, asdict(recipe))
    torch.manual_seed(recipe.seed)
    network = detector.Detector()
    load_mobilenet(imagenet, network.shallow, network.middle, network.deep)
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(trainable(network, recipe), weight_decay=1e-4)
    run = Run(
        {"detector": network}, "detector", optimiser, asdict(recipe), recipe.average
    )
    if found:
        run.resume(found)
    training_mode(network)
    loader = DataLoader(Scenes(recipe, run.step), batch_size=None, num_workers=workers)
    seen: list[tuple[float, float]] = []
    for one in loader:
        classes, boxes = losses(network, one)
        run.update(classes + boxes, rate_share(run.step, recipe))
        seen.append((classes.item(), boxes.item()))
        if run.step % recipe.every == 0 or run.step == recipe.steps:
            run.save(checkpoint)
            means = dict(zip(("classes", "boxes"), np.mean(seen, 0), strict=True))
            rounded = {name: round(float(mean), 4) for name, mean in means.items()}
            report(json.dumps({"step": run.step, **rounded}))
            seen.clear()
    return averaged(checkpoint)


def averaged(checkpoint: Path) -> detector.Detector:
    """Return the network with the averaged weights of a checkpoint."""
    network = detector.Detector()
    network.load_state_dict(dict(Checkpoint.load(checkpoint).average))
    return network.eval()
