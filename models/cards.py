"""A model's card: what its weights are, what they were made of, and how well they do.

A model is its weights' SHA-256. The card beside the weights names that hash, so that a
file that was cut short, swapped or retrained is refused, never run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from icf.errors import BadModel
from icf.stores.files import replace_file

#: The models that come with the program.
BUNDLED = ("detector", "embedder", "photo")


@dataclass(frozen=True)
class ModelCard:
    """What stands in ``NAME.json`` beside ``NAME.onnx``.

    Attributes:
        name: of the model.
        task: ``"detect"``, ``"embed"`` or ``"judge"``.
        file: the name of the weights' file.
        sha256: of that file.
        bytes: its size.
        created: the day, as ``YYYY-MM-DD``.
        parent: what the training started from.
        architecture: in words.
        input: in words: size, colours, range.
        data: what it was trained on, each with its licence.
        seed: of the training.
        recipe: the command that makes it again.
        figures: how well it does, by group of pictures it was not trained on.
        limits: what it cannot do.
        parameters: numbers that go with the weights: thresholds, calibration.
    """

    name: str
    task: str
    file: str
    sha256: str
    bytes: int
    created: str
    parent: str
    architecture: str
    input: str
    data: tuple[Mapping[str, str], ...]
    seed: int
    recipe: str
    figures: Mapping[str, Any]
    limits: tuple[str, ...]
    parameters: Mapping[str, float] = field(default_factory=dict)


def bundled_path(name: str) -> Path:
    """Where the weights of one of `BUNDLED` are."""
    return Path(str(resources.files("icf.models"))) / "bundled" / f"{name}.onnx"


def load_card(path: Path) -> ModelCard:
    """Read a card.

    Raises:
        BadModel: it is missing, not JSON, or has other fields than a card.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadModel(f"cannot read the model card {path}: {error}") from error
    expected = {each.name for each in dataclasses.fields(ModelCard)}
    found = set(fields) if isinstance(fields, dict) else set()
    if found != expected:
        raise BadModel(
            f"{path} is not a model card: missing {sorted(expected - found)}, "
            f"unknown {sorted(found - expected)}"
        )
    lists = {name: tuple(fields[name]) for name in ("data", "limits")}
    return ModelCard(**{**fields, **lists})


def save_card(card: ModelCard, path: Path) -> None:
    """Write a card."""
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    replace_file(path, [text.encode(), b"\n"])


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def verified(path: Path, task: str, parameters: Set[str]) -> ModelCard:
    """Return the card of the weights in ``path`` once they are what it promises.

    Args:
        path: the weights; the card lies beside them.
        task: what the model has to be for.
        parameters: the numbers that the card has to give.

    Raises:
        BadModel: weights or card are missing, the hash differs, or the model is for
            another task; the message says what was expected and found.
    """
    card = load_card(path.with_suffix(".json"))
    if card.task != task:
        raise BadModel(f"{path} is for {card.task!r}; expected a model to {task!r}")
    if missing := sorted(parameters - set(card.parameters)):
        raise BadModel(f"the card of {path} does not give {', '.join(missing)}")
    if not path.is_file():
        raise BadModel(f"there are no weights {path}, which its card promises")
    size = path.stat().st_size
    if size != card.bytes:
        raise BadModel(f"{path} has {size} bytes; its card promises {card.bytes}")
    found = sha256_of(path)
    if found != card.sha256:
        raise BadModel(f"{path} has SHA-256 {found}; its card promises {card.sha256}")
    return card
