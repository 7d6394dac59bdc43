"""A trained detector's files: ONNX, all weights, and the card."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path

import safetensors.torch

from icf.models.cards import ModelCard, save_card, sha256_of
from icf.models.networks.detector_base import DetectorNetwork
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.export import export
from icf.models.training.run_state import storable
from icf.models.training.task import Facts
from icf.stores.files import replace_file

#: The score from which a face is shown, until it is measured.
_MIN_SCORE = 0.5


def blank(network: DetectorNetwork, config: DetectorConfig) -> ModelCard:
    """Return a card for a network that is not written yet, to measure it."""
    settings = config.held_out
    return ModelCard(
        name="detector",
        task="detect",
        format=network.format,
        network="",
        file="",
        sha256="",
        bytes=0,
        created=datetime.date.today().isoformat(),
        parent="",
        architecture=network.architecture,
        input="n x 3 x h x w, RGB, 0 to 255, h and w multiples of 64",
        data=(),
        seed=config.loop.seed,
        recipe="",
        figures={},
        limits=(),
        parameters={
            "min_score": _MIN_SCORE,
            "side": float(settings.side),
            "overview": float(settings.overview),
            "tiles": 1.0,
        },
    )


def export_with_card(
    network: DetectorNetwork,
    name: str,
    config: DetectorConfig,
    folder: Path,
    facts: Facts,
    notes: tuple[str, ...],
    like: Path | None = None,
) -> ModelCard:
    """Write ``detector.onnx``, ``detector.safetensors`` and ``detector.json``.

    Args:
        network: with the weights that are the result.
        name: of the network.
        config: of the run.
        folder: exists.
        facts: of the run.
        notes: what a reader should know, of data and weights.
        like: the ONNX file of a network of the same architecture, if there is one.

    Raises:
        BadModel: the ONNX file gives other numbers.
    """
    path = folder / "detector.onnx"
    export(network, path, like=like)
    empty = blank(network, config)
    decided = (config.mix.decided,) if config.mix.decided else ()
    card = dataclasses.replace(
        empty,
        network=name,
        file=path.name,
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        parent=facts.parent,
        data=facts.data,
        seed=facts.seed,
        recipe=facts.recipe,
        figures=facts.measured.figures,
        limits=(*notes, *decided),
        parameters={**empty.parameters, **facts.measured.parameters},
    )
    save_whole(path, card, facts)
    save_card(card, path.with_suffix(".json"))
    return card


def save_whole(path: Path, card: ModelCard, facts: Facts) -> None:
    """Write all weights next to the ONNX file, into which some norms are folded.

    Args:
        path: of the ONNX file.
        card: of that file.
        facts: of the run, with its weights.
    """
    about = {"about": json.dumps({"sha256": card.sha256})}
    weights = safetensors.torch.save(storable(facts.parts), about)
    replace_file(path.with_suffix(".safetensors"), [weights])
