"""A trained detector's files: ONNX, all weights, and the card."""

from __future__ import annotations

from pathlib import Path

from icf.models.cards import ModelCard, new_card, save_card
from icf.models.networks.detector_base import INPUT, DetectorNetwork
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.export import export
from icf.models.training.run_state import save_parts
from icf.models.training.task import Facts

#: The score from which a face is shown, until it is measured.
_MIN_SCORE = 0.5


def blank(network: DetectorNetwork, config: DetectorConfig) -> ModelCard:
    """Return a card for a network that is not written yet, to measure it."""
    return ModelCard(
        "detector", "detect", network.format, parameters=parameters(config)
    )


def parameters(config: DetectorConfig) -> dict[str, float]:
    """Return how pictures are shown to the detector, and its lowest score."""
    return {
        "min_score": _MIN_SCORE,
        "side": float(config.held_out.side),
        "overview": float(config.held_out.overview),
        "tiles": 1.0,
    }


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
    decided = (config.mix.decided,) if config.mix.decided else ()
    card = new_card(
        path,
        "detect",
        network.format,
        {**parameters(config), **facts.measured.parameters},
        network=name,
        parent=facts.parent,
        architecture=network.architecture,
        input=INPUT,
        data=facts.data,
        seed=facts.seed,
        recipe=facts.recipe,
        figures=facts.measured.figures,
        limits=(*notes, *decided),
    )
    save_parts(path, card.sha256, facts.parts)
    save_card(card, path.with_suffix(".json"))
    return card
