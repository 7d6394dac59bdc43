"""Make the bundled models again: draw the pictures, train, measure, export.

It needs `icf.tools`, which only a clone of the repository has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from icf.models.cards import ModelCard
from icf.models.training.bundled import (
    export_detector,
    export_embedder,
    train_detector,
    train_embedder,
)
from icf.models.training.photo import export as export_photo
from icf.models.training.photo import fit as train_photo
from icf.tools.training_art import make, sources
from icf.tools.training_art.collections import collections

Report = Callable[[str], None]


def detector(
    out: Path, work: Path, changes: dict[str, int], threads: int, report: Report
) -> ModelCard:
    """Train the detector.

    Args:
        out: folder for the ONNX file and its card.
        work: folder of the checkpoint.
        changes: fields of the recipe that differ from the bundled model's.
        threads: processors for the network.
        report: receives progress messages.
    """
    weights = _prepare(threads)
    recipe = train_detector.Recipe(**changes)
    train_detector.train(recipe, work, weights, report)
    return export_detector.bundle(work / train_detector.CHECKPOINT, out)


def embedder(
    out: Path, work: Path, changes: dict[str, int], threads: int, report: Report
) -> ModelCard:
    """Train the embedder; arguments as for `detector`."""
    weights = _prepare(threads)
    recipe = train_embedder.Recipe(**changes)
    train_embedder.train(recipe, work, weights, report)
    return export_embedder.bundle(work / train_embedder.CHECKPOINT, out)


def photo(out: Path, changes: dict[str, int], report: Report) -> ModelCard:
    """Fit the judge of photographs; arguments as for `detector`."""
    weights = _prepare(1)
    sources.fetch_photographs()
    recipe, found = train_photo.Recipe(**changes), collections()
    net = train_photo.fit(recipe, weights, found, report)
    return export_photo.bundle(net, recipe, found, out, report)


def _prepare(threads: int) -> Path:
    """Draw what is missing; return the file of MobileNetV2's ImageNet weights."""
    torch.set_num_threads(threads)
    make.main()
    return sources.mobilenet_weights()
