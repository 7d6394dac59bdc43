"""What a model was trained on, as ``NAME.safetensors`` next to its ONNX file says it.

A file names the identities and pictures of its own training, and apart from these what
the models knew that it was trained from: whoever has learnt something is not known to
have forgotten it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

#: Keys of the texts with the names of identities: its own, and those before.
IDENTITIES, IDENTITIES_BEFORE = "identities", "identities_before"
#: Names of the tensors with the ids of pictures, likewise.
PICTURES, PICTURES_BEFORE = "pictures.ids", "pictures.before"


@dataclass(frozen=True)
class Subjects:
    """Identities and pictures of a training.

    Attributes:
        identities: each as ``KIND:PATH/identity``.
        pictures: each by its `picture_id`.
    """

    identities: frozenset[str] = frozenset()
    pictures: frozenset[int] = frozenset()

    def __or__(self, other: Subjects) -> Subjects:
        """Those of both."""
        return Subjects(
            self.identities | other.identities, self.pictures | other.pictures
        )


@dataclass(frozen=True)
class TrainedOn:
    """What the file of a model says.

    Attributes:
        own: of its own training.
        before: of the models that it was trained from.
    """

    own: Subjects
    before: Subjects


def read_trained_on(weights: Path) -> TrainedOn | None:
    """Read what the file next to a model's weights says.

    Returns:
        None where there is no such file, or it says nothing.
    """
    try:
        with safetensors.safe_open(weights.with_suffix(".safetensors"), "np") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            there = {PICTURES, PICTURES_BEFORE} & set(file.keys())
            tensors = {key: file.get_tensor(key) for key in there}
    except (OSError, ValueError, RecursionError, safetensors.SafetensorError):
        return None  # `icf.models.gate.soundness` refuses a damaged one
    if not isinstance(about, dict) or not (IDENTITIES in about or PICTURES in tensors):
        return None
    return trained_on(about, tensors)


def trained_on(about: Mapping[str, Any], tensors: Mapping[str, Any]) -> TrainedOn:
    """Make it of the texts and tensors of a file; what is missing is nothing."""

    def subjects(identities: str, pictures: str) -> Subjects:
        ids = np.asarray(tensors.get(pictures, ()), np.int64).tolist()
        return Subjects(frozenset(about.get(identities, ())), frozenset(ids))

    return TrainedOn(
        subjects(IDENTITIES, PICTURES), subjects(IDENTITIES_BEFORE, PICTURES_BEFORE)
    )


def picture_id(sha256: str) -> int:
    """Return what stands for a picture: the first eight bytes of its hash.

    >>> picture_id("00000000000000ff" + 48 * "0")
    255
    """
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
