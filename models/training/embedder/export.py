"""Export an embedder: ONNX, its card, and all its weights to train it further."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from icf.models.cards import ModelCard, new_card, save_card
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.network import options_of
from icf.models.training.export import export_checked
from icf.models.training.run_state import save_parts
from icf.models.training.task import Facts

#: The largest difference of an output, relative to the largest number of that output.
_TOLERANCE = 1e-4


def export(
    network: nn.Module,
    folder: Path,
    facts: Facts,
    config: EmbedderConfig,
    side: int,
    about: Mapping[str, Any],
    like: Path | None = None,
) -> ModelCard:
    """Write ``embedder.onnx``, ``embedder.json`` and ``embedder.safetensors``.

    Args:
        network: with its final weights.
        folder: exists.
        facts: for the card.
        config: of the run.
        side: of a crop, in pixels.
        about: of the weights, beside them: names of identities.
        like: the ONNX file of a network of the same architecture, if there is one.

    Raises:
        BadModel: the exported file gives other numbers than the network.
    """
    path = folder / "embedder.onnx"
    dim = export_onnx(network, path, side, like=like)
    options = options_of(config.network)
    card = new_card(
        path,
        "embed",
        "icf-embedder-onnx",
        {**facts.measured.parameters, **{k: float(v) for k, v in options.items()}},
        network=config.network.name,
        parent=facts.parent,
        architecture=f"{config.network.name}, {dim} numbers; {config.loss.name}",
        input=f"n x 3 x {side} x {side}, RGB, 0 to 255: the face's square, enlarged",
        data=facts.data,
        seed=facts.seed,
        recipe=facts.recipe,
        figures=facts.measured.figures,
        limits=_limits(facts),
    )
    save_parts(path, card.sha256, facts.parts, **about)
    save_card(card, path.with_suffix(".json"))
    return card


def export_onnx(
    network: nn.Module,
    path: Path,
    side: int,
    max_bytes: int | None = None,
    like: Path | None = None,
) -> int:
    """Write the network as ONNX for batches of any size, and check the outputs.

    Args:
        network: with its final weights.
        path: the file.
        side: of a crop, in pixels.
        max_bytes: the most that the file may have; None: any number.
        like: an ONNX file whose graph is tried first: it saves most of the time.

    Returns:
        How many numbers an embedding has.

    Raises:
        BadModel: the file is too large, or gives other numbers.
    """
    generator = torch.Generator().manual_seed(0)
    batches = [
        torch.randint(0, 256, (n, 3, side, side), generator=generator).float()
        for n in (2, 1, 5)
    ]
    dynamic = {0: torch.export.Dim("n")}
    export_checked(
        network, batches, dynamic, ["embeddings"], path, _TOLERANCE, max_bytes, like
    )
    with torch.no_grad():
        return int(network(batches[1]).shape[1])


def _limits(facts: Facts) -> tuple[str, ...]:
    """What a card of a user's own model must say."""
    calibrated = (
        "Its probabilities were fitted on held-out characters of its own training "
        "data; other art needs its own calibration."
    )
    if "held out" in facts.measured.figures:
        return (calibrated,)
    return (
        "Its figures and probabilities are of faces that it was trained on, because "
        "no characters were held out.",
    )
