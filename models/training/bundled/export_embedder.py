"""Export the embedder, measure it, and write its card."""

from __future__ import annotations

import datetime
from pathlib import Path

import torch

from icf.models.cards import ModelCard, save_card, sha256_of
from icf.models.formats.icf_embedder import SIDE
from icf.models.networks.embedder import DIM, EmbedderNet
from icf.models.training import embedder_figures, training_data
from icf.models.training.bundled.checkpoint import Checkpoint
from icf.models.training.bundled.train_embedder import Recipe, averaged
from icf.models.training.export import check_equal, to_onnx
from icf.models.training.face_crops import CROP_RATE
from icf.tools.training_art import heads

LIMITS = (
    "It was trained on generated and modelled heads whose hair, skin and clothes stay "
    "the same: a character that changes them is taken for another one.",
    "It is less accurate on black-and-white art, profiles and figures without a face.",
    "Its only photographed people in training were two portraits and a hundred tiny "
    "faces; it must not be used to identify people.",
    "Its probabilities were fitted on the styles named above; other art needs its own "
    "calibration.",
)


def export(net: EmbedderNet, path: Path) -> None:
    """Write the network as ONNX and check the outputs.

    Raises:
        BadModel: the file is too large, or gives other numbers.
    """
    generator = torch.Generator().manual_seed(0)
    batches = [
        torch.randint(0, 256, (n, 3, SIDE, SIDE), generator=generator).float()
        for n in (2, 1, 5)
    ]
    to_onnx(net, batches[0], {0: torch.export.Dim("n")}, ["embeddings"], path)
    check_equal(net, path, batches)


def bundle(checkpoint: Path, folder: Path) -> ModelCard:
    """Export a finished run as ``embedder.onnx`` and ``embedder.json``.

    Args:
        checkpoint: of `icf.models.training.bundled.train_embedder`.
        folder: where the two files go.
    """
    run = Checkpoint.load(checkpoint)
    recipe = Recipe(**run.recipe)
    net = averaged(run.average)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "embedder.onnx"
    export(net, path)
    drawn = embedder_figures.draw(heads.held_out_art())
    figures = embedder_figures.measure(net, drawn)
    card = ModelCard(
        name="embedder",
        task="embed",
        format="icf-embedder-onnx",
        network="embedder-mobilenetv2",
        file=path.name,
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        created=datetime.date.today().isoformat(),
        parent=training_data.PARENT,
        architecture=(
            "MobileNetV2, its middle features, pooled over quarters, and its last, "
            f"projected to {DIM} numbers; ArcFace"
        ),
        input=f"n x 3 x {SIDE} x {SIDE}, RGB, 0 to 255: the face's square, enlarged",
        data=training_data.DATA,
        seed=recipe.seed,
        recipe=f"icf-train embedder --steps {run.step} --seed {recipe.seed}",
        figures={**figures.by_style(), "mean": figures.summary()},
        limits=LIMITS,
        parameters={
            "crop_rate": CROP_RATE,
            "slope": figures.slope,
            "intercept": figures.intercept,
        },
    )
    save_card(card, path.with_suffix(".json"))
    return card
