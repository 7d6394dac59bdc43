"""Make the bundled judge of photographs again: draw the pictures, fit, export."""

from __future__ import annotations

from pathlib import Path

import torch

from icf.models.cards import ModelCard
from icf.models.training.photo import export, fit
from icf.tools.training_art import make, sources
from icf.tools.training_art.collections import collections
from icf.tools.training_art.real import make as real


def bundle_photo(out: Path, changes: dict[str, int], report: fit.Report) -> ModelCard:
    """Fit the judge of photographs, and write it with its card.

    Args:
        out: folder of the ONNX file and its card.
        changes: fields of the recipe that differ from the bundled model's.
        report: receives progress messages.
    """
    torch.set_num_threads(1)
    make.main(report)
    real.main(report)
    weights = sources.mobilenet_weights()
    report("fetching photographs")
    sources.fetch_photographs()
    recipe, found = fit.Recipe(**changes), collections()
    net = fit.fit(recipe, weights, found, report)
    return export.bundle(net, recipe, found, out, report)
