"""Train the bundled embedder: ``python -m icf.models.train_embedder --out models/bundled``.

Draws the art (`icf.models.art`), trains MobileNetV2 from its ImageNet weights with
ArcFace on drawn identities and, as identities of their own, on drawings of things;
measures styles that were held out, keeps the best, calibrates, exports and writes the
card. What step ``n`` sees depends on the seed and ``n`` alone, and a checkpoint holds
everything else, so a run that was cut off goes on exactly as it would have.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from icf.models.art import heads, make, sources
from icf.models.embedder import DIM, EmbedderNet
from icf.models.embedder_figures import Figures, measure
from icf.models.export_embedder import export
from icf.models.face_crops import Identities, crop
from icf.models.margins import MarginLoss


@dataclass(frozen=True)
class Recipe:
    """What a run depends on.

    Attributes:
        seed: of the crops and the first weights.
        steps: batches in all.
        batch: crops in a batch.
        rate: learning rate of the new layers; falls to nothing along a cosine.
        backbone_rate: of MobileNetV2's later blocks; the earlier ones stay.
        scale: s of ArcFace.
        margin: m of ArcFace, reached after a tenth of the steps.
        keep: weight of the pull towards what ImageNet's features say.
        average: decay of the moving average of the weights, which is what is kept.
        every: steps between two checkpoints.
    """

    seed: int = 11
    steps: int = 3000
    batch: int = 48
    rate: float = 2e-3
    backbone_rate: float = 2e-4
    scale: float = 24.0
    margin: float = 0.3
    keep: float = 1.0
    average: float = 0.995
    every: int = 100


class Crops(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches from a step on: crops n x 3 x 112 x 112 in 0..255, identities n."""

    def __init__(self, recipe: Recipe, start: int) -> None:
        self.recipe, self.start = recipe, start

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw without end."""
        cv2.setNumThreads(1)
        art = heads.training_art()
        identities = Identities.of(art)
        step = self.start
        while True:
            yield batch(art, identities, self.recipe, step)
            step += 1


def batch(
    art: heads.Art, identities: Identities, recipe: Recipe, step: int
) -> tuple[Tensor, Tensor]:
    """Draw the batch of one step: two crops of each of its identities."""
    random = np.random.default_rng((recipe.seed, step))
    some = random.integers(0, len(identities.pictures), recipe.batch // 2)
    labels = np.repeat(some, 2)
    crops = []
    for label in labels:
        pictures = identities.pictures[label]
        crops.append(crop(pictures[int(random.integers(len(pictures)))], art, random))
    stacked = np.stack(crops).transpose(0, 3, 1, 2)
    pixels = torch.from_numpy(np.ascontiguousarray(stacked)).float()
    return pixels, torch.from_numpy(labels)


class Training(nn.Module):
    """The network with what only training needs."""

    def __init__(self, recipe: Recipe, identities: int, imagenet: Path) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.net = EmbedderNet()
        self.imagenet = EmbedderNet()
        for net in (self.net, self.imagenet):
            load_imagenet(net, imagenet)
        self.imagenet.requires_grad_(False).eval()
        self.loss = MarginLoss(DIM, identities, recipe.scale, m2=recipe.margin)
        for part in self.net.early[:7]:
            part.requires_grad_(False)

    def forward(self, pixels: Tensor, labels: Tensor, step: int) -> Tensor:
        """Return the loss of one batch."""
        pooled = self.net.pooled(pixels)
        with torch.no_grad():
            before = self.imagenet.pooled(pixels)
        embeddings = self.net.centre(self.net.project(self.net.norm(pooled)))
        ramp = min(1.0, step / (0.1 * self.recipe.steps))
        self.loss.margins = (1.0, self.recipe.margin * ramp, 0.0)
        likeness = nn.functional.cosine_similarity(pooled, before).mean()
        loss: Tensor = self.loss(embeddings, labels)
        return loss + self.recipe.keep * (1 - likeness)

    def rates(self) -> list[dict[str, object]]:
        """The optimiser's groups: MobileNetV2's blocks learn slowly."""
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


def load_imagenet(net: EmbedderNet, weights: Path) -> None:
    """Fill MobileNetV2's blocks with torchvision's ImageNet weights."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    for name, value in state.items():
        _, _, rest = name.partition("features.")
        block, _, leaf = rest.partition(".")
        if not block or int(block) >= 18:
            continue
        part, index = ("early", int(block)) if int(block) < 14 else ("late", int(block) - 14)
        net.get_parameter_or_buffer(part, index, leaf).data.copy_(value)


def train(recipe: Recipe, folder: Path) -> EmbedderNet:
    """Train, or go on training, with checkpoints in ``folder``; return the average."""
    make.main()
    art = heads.training_art()
    identities = Identities.of(art)
    weights = imagenet_weights()
    training = Training(recipe, len(identities.pictures), weights)
    training.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(training.rates(), weight_decay=5e-4)
    average = {k: v.clone() for k, v in training.net.state_dict().items()}
    step = _resume(folder, training, optimiser, average)
    held = heads.held_out_art()
    loader = DataLoader(Crops(recipe, step), batch_size=None, num_workers=1)
    for pixels, labels in loader:
        if step >= recipe.steps:
            break
        loss = _step(training, optimiser, pixels, labels, step)
        step += 1
        _average(average, training.net, min(recipe.average, step / (step + 10)))
        if step % recipe.every == 0 or step == recipe.steps:
            _checkpoint(folder, training, optimiser, average, step)
            figures = measure(_averaged(average), held)
            print(json.dumps({"step": step, "loss": loss, **figures.summary()}), flush=True)
    return _averaged(average)
