"""Export the judge of photographs, measure it, and write its card."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from icf.models import photo
from icf.models.cards import ModelCard, new_card, save_card
from icf.models.networks.photo import FEATURE_BLOCKS, PhotoNet
from icf.models.runtime.network import open_network
from icf.models.training.drawn import licences
from icf.models.training.export import MAX_BYTES, export_checked
from icf.models.training.photo import examples
from icf.models.training.photo.figures import Scored
from icf.models.training.photo.fit import Recipe, Report
from icf.settings import FilterSettings
from icf.tools.training_art.collections import Collection

#: How often the held-out examples are drawn.
DRAWS = 2
#: The logits are shifted so that the threshold is this, the setting's default:
#: workspaces keep theirs from one judge to the next.
MAX_PHOTO = FilterSettings().max_photo
LIMITS = (
    "It was fitted on 554 photographs, about 130 of them of people. It finds two "
    "photographs in five, and two in three of people; of rooms, desks and wallpapers "
    "it finds one in six.",
    "The drawings that it wrongly drops are paintings, portraits and stories' "
    "pictures: at the threshold, 0.5% of all held-out drawings, and up to 1.7% of a "
    "source of paintings.",
    "Photographs of toys, figures and costumes were not measured, nor were renderings "
    "like those of computer-animated films.",
    "The threshold and the blocks were chosen on the held-out sources named above: on "
    "other art it may drop more.",
)


def export(net: PhotoNet, path: Path, like: Path | None = None) -> None:
    """Write the network as ONNX and check the outputs.

    Args:
        net: the network.
        path: the file.
        like: a file whose graph is tried first: it saves most of the time.

    Raises:
        BadModel: the file is too large, or gives other numbers.
    """
    generator = torch.Generator().manual_seed(0)
    side = photo.SIDE
    batches = [
        torch.randint(
            0, 256, (n, photo.VIEWS, 3, side, side), generator=generator
        ).float()
        for n in (2, 1, 5)
    ]
    dynamic = {0: torch.export.Dim("n")}
    export_checked(net, batches, dynamic, ["photographs"], path, 1e-3, MAX_BYTES, like)


def logit(probability: float) -> float:
    """Return the logit of a probability; of 0 and of 1 that of numbers next to them.

    >>> logit(0.5)
    0.0
    """
    inside = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def measure(
    path: Path, collections: Sequence[Collection], seed: int, report: Report
) -> Scored:
    """Classify examples of the held-out collections with the exported file.

    Few drawings decide where the threshold lies, so two draws of them are measured.
    """
    held_out = [each for each in collections if each.held_out]
    seeds = range(seed, seed + DRAWS)
    plans = [plan for draw in seeds for plan in examples.plans(held_out, draw)]
    network = open_network(path)
    found = []
    for number, plan in enumerate(plans):
        views = photo.views(examples.make(plan))
        [scored] = network.run(views[None].astype(np.float32))
        found.append(float(scored[0]))
        if number % 500 == 0:
            report(f"{number:,} of {len(plans):,} examples scored")
    return Scored(
        [plan.collection for plan in plans],
        np.array([plan.is_photograph for plan in plans]),
        np.array(found),
    )


def bundle(
    net: PhotoNet,
    recipe: Recipe,
    collections: Sequence[Collection],
    folder: Path,
    report: Report,
) -> ModelCard:
    """Export a fitted network as ``photo.onnx`` and ``photo.json``.

    Args:
        net: the network.
        recipe: of the fit.
        collections: all; it is measured on the held-out ones.
        folder: where the two files go.
        report: receives progress messages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "photo.onnx"
    # The one that may be in the folder stays until this one can take its place.
    with tempfile.TemporaryDirectory(prefix="icf-photo-") as temporary:
        unshifted = Path(temporary) / path.name
        export(net, unshifted, path if path.is_file() else None)
        scored = measure(unshifted, collections, recipe.seed, report)
        shift = logit(MAX_PHOTO) - logit(scored.threshold())
        with torch.no_grad():
            net.head.bias.add_(shift)
        export(net, path, unshifted)
    scored = scored.shifted(shift)
    card = new_card(
        path,
        "judge",
        "icf-photo-onnx",
        {"max_photo": MAX_PHOTO},
        network="photo-mobilenetv2",
        parent=licences.PARENT,
        architecture=(
            f"MobileNetV2 up to block {FEATURE_BLOCKS[-1]}, the features after blocks "
            f"{', '.join(map(str, FEATURE_BLOCKS))} pooled (mean, deviation, maximum), "
            "mean and deviation over the unscaled parts, and logistic regression"
        ),
        input=(
            f"n x {photo.VIEWS} x 3 x {photo.SIDE} x {photo.SIDE}, RGB, 0 to 255: all "
            "of the picture, reduced, and parts of it unscaled"
        ),
        data=licences.PHOTO_DATA,
        licence=licences.WEIGHTS,
        seed=recipe.seed,
        recipe=f"icf-train photo --seed {recipe.seed}",
        figures={
            **scored.by_collection(MAX_PHOTO),
            "in all": {"auc": round(scored.area(), 4)},
        },
        limits=LIMITS,
    )
    save_card(card, path.with_suffix(".json"))
    return card
