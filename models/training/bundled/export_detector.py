"""Export the detector, measure it, and write its card."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path

import safetensors

from icf.models.cards import ModelCard, save_card, sha256_of
from icf.models.detection import Detector
from icf.models.formats.icf_detector import IcfDetector
from icf.models.runtime.network import open_network
from icf.models.training import detector_figures, training_data
from icf.models.training.bundled.train_detector import averaged
from icf.models.training.detector.export import export
from icf.models.training.export import MAX_BYTES
from icf.tools.training_art import heads

PARAMETERS = {"min_score": 0.5, "side": 640.0, "overview": 256.0, "tiles": 1.0}
LIMITS = (
    "It was trained on generated and modelled heads, and only the modelled ones are "
    "shown from several sides: it misses profiles, masks, animals' faces and some "
    "painted and black-and-white art.",
    "Faces under 12 pixels, in the view that it sees, are not found.",
    "Its only photographed people in training were two portraits and a hundred tiny "
    'faces: its kind "human" is a hint. It must not be used to find people.',
)


def bundle(checkpoint: Path, folder: Path) -> ModelCard:
    """Export a finished run as ``detector.onnx`` and ``detector.json``.

    Args:
        checkpoint: of `icf.models.training.bundled.train_detector`.
        folder: where the two files go.
    """
    with safetensors.safe_open(checkpoint, "pt") as file:
        about = file.metadata()
    seed = int(json.loads(about["recipe"])["seed"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "detector.onnx"
    export(averaged(checkpoint), path, MAX_BYTES)
    card = ModelCard(
        name="detector",
        task="detect",
        format="icf-detector-onnx",
        network="retinanet-mobilenetv2",
        file=path.name,
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        created=datetime.date.today().isoformat(),
        parent=training_data.PARENT,
        architecture=(
            "RetinaNet: MobileNetV2, a pyramid of 64 channels at strides 8 to 64, one "
            "tower of two convolutions; cartoon and human faces"
        ),
        input="n x 3 x h x w, RGB, 0 to 255, h and w multiples of 64",
        data=training_data.DATA,
        seed=seed,
        recipe=f"icf-train detector --steps {about['step']} --seed {seed}",
        figures={},
        limits=LIMITS,
        parameters=PARAMETERS,
    )
    detector = Detector(IcfDetector(open_network(path)), card)
    found = detector_figures.measure(detector, heads.held_out_art())
    card = dataclasses.replace(card, figures=found)
    save_card(card, path.with_suffix(".json"))
    return card
