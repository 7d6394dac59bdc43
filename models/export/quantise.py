"""A model with numbers of eight bits, and the accuracy that they cost."""

from __future__ import annotations

import dataclasses
import datetime
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel, WrongUse
from icf.models.cards import (
    ModelCard,
    load_card,
    save_card,
    verified,
    weights_path,
)
from icf.models.data.base import LabelledFace, Reader
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.export.examples import face_examples, picture_examples
from icf.models.export.int8 import has_eight_bits, write_int8
from icf.models.gate.average_precision import FoundFaces, TrueFaces, matched
from icf.models.gate.retrieval import Labels, retrieve
from icf.models.registry import store
from icf.models.runtime.network import watching
from icf.stores.files import hash_file
from icf.workspace import Workspace

Array = NDArray[np.float32]

#: Faces and pictures for the ranges between layers, and to judge by.
RANGE_FACES, JUDGED_FACES = 128, 500
RANGE_PICTURES, JUDGED_PICTURES = 32, 100
#: Lowest score of a box that counts for average precision.
_MIN_SCORE = 0.05
_DIGITS = 4


def quantise(
    workspace: Workspace, model: Path, readers: Sequence[Reader], data: str, by: str
) -> ModelCard:
    """Write a model with numbers of eight bits into a workspace.

    Args:
        workspace: that gets it.
        model: weights, or their card.
        readers: of the data that ranges are measured on, and the model judged by.
        data: the same in words, for the card.
        by: who does it.

    Returns:
        The card of the new model, whose figures say what eight bits cost.

    Raises:
        WrongUse: there is too little data, or the model has eight bits already.
        BadModel: the model cannot be written so, or gives nothing that makes sense.
    """
    source = weights_path(model)
    card = verified(source, load_card(source.with_suffix(".json")).task, frozenset())
    if has_eight_bits(source):
        raise WrongUse(f"{card.name} has numbers of eight bits already")
    with tempfile.TemporaryDirectory(prefix="icf-int8-") as temporary:
        target = Path(temporary) / f"{card.name}-int8.onnx"
        measure = _embedder if card.task == "embed" else _detector
        made = _Made(source, target, card, data)
        figures = measure(made, readers, card.seed)
        save_card(made.card(figures), target.with_suffix(".json"))
        return store.add(workspace, target, by)


@dataclasses.dataclass(frozen=True)
class _Made:
    """A model, and the file that its eight bits go into."""

    source: Path
    target: Path
    full: ModelCard
    data: str

    def write(self, batches: Sequence[Array]) -> None:
        """Write the file, and a card with which it can be opened."""
        write_int8(self.source, self.target, batches)
        save_card(self.card({}), self.target.with_suffix(".json"))

    def card(self, figures: Mapping[str, Any]) -> ModelCard:
        """The card, with what was measured."""
        return dataclasses.replace(
            self.full,
            name=self.target.stem,
            network="",
            file=self.target.name,
            sha256=hash_file(self.target),
            bytes=self.target.stat().st_size,
            created=datetime.date.today().isoformat(),
            parent=self.full.sha256,
            architecture=f"{self.full.architecture}; eight bits",
            recipe=f"icf model quantise {self.full.name} --data {self.data}",
            figures={"eight bits": dict(figures)},
        )


def _embedder(made: _Made, readers: Sequence[Reader], seed: int) -> dict[str, float]:
    rate = float(made.full.parameters["crop_rate"])
    faces = face_examples(readers, rate, RANGE_FACES, JUDGED_FACES, seed)
    batches: list[Array] = []
    with watching(batches.append):
        watched = Embedder.open(made.source)
    watched.embed(faces.ranges)
    made.write(batches)
    full = Embedder.open(made.source).embed(faces.held_out)
    short = Embedder.open(made.target).embed(faces.held_out)
    if not np.isfinite(short).all():
        raise BadModel(f"with eight bits, {made.full.name} gives no finite numbers")
    cosines = (full * short).sum(1)
    labels = Labels(
        faces.identity.astype(np.int64),
        faces.picture.astype(np.int64),
        np.zeros((0, 2), np.int64),
    )
    figures = {
        "faces": len(faces.held_out),
        "identities": len(np.unique(faces.identity)),
        "cosine": round(float(cosines.mean()), _DIGITS),
        "lowest_cosine": round(float(cosines.min()), _DIGITS),
    }
    for name, vectors in (("before", full), ("after", short)):
        found = retrieve(vectors, labels).figures()
        figures |= {f"{key}_{name}": found[key] for key in ("rank1", "auc")}
    return figures


def _detector(made: _Made, readers: Sequence[Reader], seed: int) -> dict[str, float]:
    pictures = picture_examples(readers, RANGE_PICTURES, JUDGED_PICTURES, seed)
    batches: list[Array] = []
    with watching(batches.append):
        watched = Detector.open(made.source)
    watched.detect(pictures.ranges)
    made.write(batches)
    figures: dict[str, float] = {"pictures": len(pictures.held_out)}
    truth = [_true(faces) for _, faces in pictures.held_out]
    for name, path in (("before", made.source), ("after", made.target)):
        detector = Detector.open(path)
        found = [_found(detector, pixels) for pixels, _ in pictures.held_out]
        figures[f"ap50_{name}"] = round(matched(truth, found).figure(), _DIGITS)
    return figures


def _true(faces: Sequence[LabelledFace]) -> TrueFaces:
    wanted = [f.box for f in faces if f.box and f.kind == "cartoon" and not f.ignored]
    others = [f.box for f in faces if f.box and (f.ignored or f.kind == "human")]
    return TrueFaces(
        np.array(wanted, np.float32).reshape(-1, 4),
        np.array(others, np.float32).reshape(-1, 4),
    )


def _found(detector: Detector, pixels: NDArray[np.uint8]) -> FoundFaces:
    [faces] = detector.detect([pixels], _MIN_SCORE)
    own = [face for face in faces if face.kind == "cartoon"]
    return FoundFaces(
        np.array([face.box for face in own], np.float32).reshape(-1, 4),
        np.array([face.score for face in own], np.float64),
    )
