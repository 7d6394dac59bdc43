"""Train the bundled embedder: ``icf-train embedder --out models/bundled``.

Trains MobileNetV2 from its ImageNet weights with ArcFace on drawn identities
(`icf.tools.training_art`) and, as identities of their own, on drawings of things. The
batch of step ``n`` depends on the seed and ``n`` alone, and a checkpoint holds
everything else, so an interrupted run resumes exactly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from icf.models.networks.embedder import DIM, EmbedderNet
from icf.models.networks.mobilenet import load_mobilenet
from icf.models.training import embedder_figures
from icf.models.training.bundled.checkpoint import resumable
from icf.models.training.bundled.run import Run
from icf.models.training.face_crops import Identities, crop
from icf.models.training.losses.combined import Combined
from icf.tools.training_art import heads

#: The checkpoint's name in the working folder.
CHECKPOINT = "embedder.safetensors"
#: Frozen blocks of MobileNetV2: edges and colours.
_FROZEN = 7


@dataclass(frozen=True)
class Recipe:
    """The settings of a run.

    Attributes:
        seed: random seed of the crops and the initial weights.
        steps: number of batches.
        batch: crops in a batch.
        rate: learning rate of the new layers; falls to 0 along a cosine.
        backbone_rate: of MobileNetV2's later blocks; the earlier ones are frozen.
        scale: s of ArcFace.
        margin: m of ArcFace, reached after a tenth of the steps.
        keep: weight of the loss that keeps the features similar to ImageNet's.
        average: decay of the moving average of the weights, which is the result.
        every: steps between two checkpoints.
    """

    seed: int = 11
    steps: int = 4000
    batch: int = 48
    rate: float = 2e-3
    backbone_rate: float = 2e-4
    scale: float = 24.0
    margin: float = 0.3
    keep: float = 1.0
    average: float = 0.995
    every: int = 200


class Crops(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches from a step on: crops n x 3 x 112 x 112 in 0..255, identities n."""

    def __init__(self, recipe: Recipe, first: int) -> None:
        self.recipe, self.first = recipe, first

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one batch a step."""
        cv2.setNumThreads(1)
        art = heads.training_art()
        identities = Identities.of(art)
        for step in range(self.first, self.recipe.steps):
            yield batch(art, identities, self.recipe, step)


def batch(
    art: heads.Art, identities: Identities, recipe: Recipe, step: int
) -> tuple[Tensor, Tensor]:
    """Draw the batch of one step: two crops of each of its identities."""
    random = np.random.default_rng((recipe.seed, step))
    chances = identities.chances()
    some = random.choice(len(chances), recipe.batch // 2, p=chances)
    labels = np.repeat(some, 2)
    crops = []
    for label in labels:
        pictures = identities.pictures[int(label)]
        crops.append(crop(pictures[int(random.integers(len(pictures)))], art, random))
    stacked = np.stack(crops).transpose(0, 3, 1, 2)
    pixels = torch.from_numpy(np.ascontiguousarray(stacked)).float()
    return pixels, torch.from_numpy(labels)


class Training(nn.Module):
    """The network with its loss and the frozen ImageNet features.

    Args:
        recipe: of the run.
        identities: to report apart.
        imagenet: file of torchvision's MobileNetV2 weights.
    """

    def __init__(self, recipe: Recipe, identities: int, imagenet: Path) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.net = EmbedderNet()
        self.imagenet = EmbedderNet()
        for net in (self.net, self.imagenet):
            load_mobilenet(imagenet, net.early, net.late)
        self.loss = Combined(
            DIM, identities, m2=recipe.margin, m3=0.0, scale=recipe.scale
        )
        self.frozen = (self.imagenet, self.net.early[:_FROZEN])
        for part in self.frozen:
            part.requires_grad_(False)
        self.to(memory_format=torch.channels_last)
        self.train()

    def train(self, mode: bool = True) -> Training:
        """Switch all but the frozen parts to training."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def forward(self, pixels: Tensor, labels: Tensor, step: int) -> Tensor:
        """Return the loss of one batch."""
        pixels = pixels.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            pooled = self.net.pooled(pixels).float()
            with torch.no_grad():
                before = self.imagenet.pooled(pixels).float()
        embeddings = self.net.centre(self.net.project(self.net.norm(pooled)))
        ramp = min(1.0, step / (0.1 * self.recipe.steps))
        self.loss.margins = (1.0, self.recipe.margin * ramp, 0.0)
        similarity = nn.functional.cosine_similarity(pooled, before).mean()
        loss: Tensor = self.loss(embeddings, labels)
        return loss + self.recipe.keep * (1 - similarity)

    def rates(self) -> list[dict[str, object]]:
        """The optimiser's groups: MobileNetV2's blocks have a lower learning rate."""
        body = [*self.net.early.parameters(), *self.net.late.parameters()]
        known = {id(p) for p in body}
        new = [
            p
            for part in (self.net, self.loss)
            for p in part.parameters()
            if id(p) not in known
        ]
        slow = [p for p in body if p.requires_grad]
        return [
            {"params": slow, "lr": self.recipe.backbone_rate},
            {"params": new, "lr": self.recipe.rate},
        ]


def rate_share(step: int, steps: int) -> float:
    """Return the share of the learning rate at ``step``: rising, then a cosine.

    >>> [round(rate_share(step, 1000), 2) for step in (0, 50, 525, 1000)]
    [0.02, 1.0, 0.5, 0.0]
    """
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2


def averaged(state: Mapping[str, Tensor]) -> EmbedderNet:
    """Return the network with averaged weights."""
    net = EmbedderNet()
    net.load_state_dict(dict(state))
    return net.eval()


def train(
    recipe: Recipe,
    folder: Path,
    imagenet: Path,
    report: Callable[[str], None] = print,
    workers: int = 1,
) -> EmbedderNet:
    """Train, or resume training.

    Args:
        recipe: of the run.
        folder: of its checkpoint.
        imagenet: file of torchvision's MobileNetV2 weights.
        report: receives a line of JSON at every checkpoint.
        workers: processes that draw crops; 0 draws them here.

    Returns:
        The network with the average of its weights.

    Raises:
        WrongUse: the run in ``folder`` has another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / CHECKPOINT
    found = resumable(checkpoint, asdict(recipe))
    identities = Identities.of(heads.training_art())
    training = Training(recipe, len(identities.pictures), imagenet)
    del identities
    optimiser = torch.optim.AdamW(training.rates(), weight_decay=5e-4)
    parts = {"net": training.net, "loss": training.loss}
    run = Run(parts, "net", optimiser, asdict(recipe), recipe.average)
    if found:
        run.resume(found)
    held = embedder_figures.draw(heads.held_out_art())
    loader = DataLoader(Crops(recipe, run.step), batch_size=None, num_workers=workers)
    for pixels, labels in loader:
        loss = training(pixels, labels, run.step)
        run.update(loss, rate_share(run.step, recipe.steps))
        if run.step % recipe.every == 0 or run.step == recipe.steps:
            run.save(checkpoint)
            figures = embedder_figures.measure(averaged(run.average), held).summary()
            report(
                json.dumps({"step": run.step, "loss": round(loss.item(), 4), **figures})
            )
    return averaged(run.average)
