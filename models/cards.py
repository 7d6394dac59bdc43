"""A model's card: its weights, format, training data, figures and limits.

A model is identified by the SHA-256 of its weights. The card next to the weights names
that hash, so a file that was truncated, replaced or retrained is refused.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from icf.errors import BadModel
from icf.models.card_numbers import OF_TASKS, check_numbers
from icf.stores.files import hash_file, replace_file

#: The models that come with the program.
BUNDLED = ("detector", "embedder", "photo")
#: What settings and commands call the one of a task.
BUNDLED_WORD = "bundled"

#: Format and network of cards that name neither, by task: older cards do not.
_OLDER: Mapping[str, tuple[str, str]] = {
    "detect": ("icf-detector-onnx", "retinanet-mobilenetv2"),
    "embed": ("icf-embedder-onnx", "embedder-mobilenetv2"),
    "judge": ("icf-photo-onnx", "photo-mobilenetv2"),
}
#: What a field is, and what is in it; the others are texts.
_KINDS: Mapping[str, tuple[Any, Any]] = {
    "bytes": (int, object),
    "seed": (int, object),
    "figures": (dict, object),
    "parameters": (dict, int | float),
    "data": (list | tuple, dict),
    "limits": (list | tuple, str),
}
#: Fields that older cards lack, and what that means.
_LATER: Mapping[str, Any] = {"licence": ""}


@dataclass(frozen=True)
class ModelCard:
    """The content of ``NAME.json`` next to ``NAME.onnx``.

    Attributes:
        name: of the model.
        task: ``"detect"``, ``"embed"`` or ``"judge"``.
        format: how pictures go in and results come out: a name of
            `icf.models.formats.base.FORMATS`.
        network: the network's name in `icf.models.networks`, so that PyTorch can run
            the weights; empty: only ONNX Runtime and OpenVINO can.
        file: the name of the weights' file.
        sha256: of that file.
        bytes: its size.
        created: the day, as ``YYYY-MM-DD``.
        parent: the weights that training started from.
        architecture: description of the network.
        input: description of the input: size, colours, range.
        data: training data, each with its licence.
        seed: random seed of the training.
        recipe: the command that reproduces it.
        figures: accuracy by group of held-out pictures.
        limits: known limits.
        parameters: numbers that belong to the weights: thresholds, calibration.
        licence: of the weights; "": not known. `data` has those of the data.
    """

    name: str
    task: str
    format: str
    network: str = ""
    file: str = ""
    sha256: str = ""
    bytes: int = 0
    created: str = ""
    parent: str = ""
    architecture: str = ""
    input: str = ""
    data: tuple[Mapping[str, str], ...] = ()
    seed: int = 0
    recipe: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    licence: str = ""


def bundled_path(name: str) -> Path:
    """Where the weights of one of `BUNDLED` are."""
    return Path(str(resources.files("icf.models"))) / "bundled" / f"{name}.onnx"


def absent(path: Path) -> str | None:
    """Say that neither weights nor a card are there; None if one of them is."""
    card = path.with_suffix(".json")
    if path.exists() or card.exists():
        return None
    return f"there is no model {path}: neither weights nor a card {card}"


def weights_path(path: Path) -> Path:
    """The weights of a model that is named by its weights or by its card.

    Raises:
        BadModel: neither is there, or the card cannot be read.
    """
    if no_model := absent(path):
        raise BadModel(no_model)
    is_card = path.suffix == ".json"
    return path.with_name(load_card(path).file) if is_card else path


def load_card(path: Path) -> ModelCard:
    """Read a card.

    Raises:
        BadModel: it is missing, not JSON, or has other fields than a card.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadModel(
            f"cannot read the model card {path}: there is none; `icf model add` takes "
            "weights without a card, and writes one"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadModel(f"cannot read the model card {path}: {error}") from error
    return card_from(fields, str(path))


def card_from(fields: Any, where: str) -> ModelCard:
    """Make a card of the fields of its JSON, of any version of the program.

    Args:
        fields: as JSON gives them.
        where: they are from, for messages.

    Raises:
        BadModel: they are not those of a card.
    """
    expected = {each.name for each in dataclasses.fields(ModelCard)}
    if isinstance(fields, dict):
        fields = {**_LATER, **fields}
    if isinstance(fields, dict) and not {"format", "network"} & fields.keys():
        form, network = _OLDER.get(str(fields.get("task")), ("", ""))
        fields |= {"format": form, "network": network}
    found = set(fields) if isinstance(fields, dict) else set()
    if found != expected:
        raise BadModel(
            f"{where} is not a model card: missing {sorted(expected - found)}, "
            f"unknown {sorted(found - expected)}"
        )
    if wrong := [name for name in sorted(expected) if not _fits(name, fields[name])]:
        shown = ", ".join(f"{name} {fields[name]!r:.60}" for name in wrong)
        raise BadModel(f"{where} is not a model card: it cannot have {shown}")
    lists = {name: tuple(fields[name]) for name in ("data", "limits")}
    return ModelCard(**{**fields, **lists})


def _fits(name: str, value: Any) -> bool:
    """Whether a field of a card has a value of its kind; the file is next to it."""
    kind, of = _KINDS.get(name, (str, object))
    if not isinstance(value, kind) or (name == "file" and Path(value).name != value):
        return False
    each = value.values() if isinstance(value, dict) else value
    return of is object or all(isinstance(one, of) for one in each)


def save_card(card: ModelCard, path: Path) -> None:
    """Write a card."""
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    replace_file(path, [text.encode(), b"\n"])


def new_card(
    weights: Path, task: str, form: str, parameters: Mapping[str, float], **more: Any
) -> ModelCard:
    """Make the card of a model of your own; `save_card` writes it.

    Args:
        weights: the file.
        task: ``"detect"`` or ``"embed"``.
        form: its format.
        parameters: numbers that the task and the format need.
        more: other fields of the card; without them they are empty.
    """
    fields: dict[str, Any] = {
        "name": weights.stem,
        "task": task,
        "format": form,
        "file": weights.name,
        "sha256": hash_file(weights),
        "bytes": weights.stat().st_size,
        "created": datetime.date.today().isoformat(),
        "parameters": dict(parameters),
    }
    return ModelCard(**{**fields, **more})


def of_file(card: ModelCard, weights: Path) -> ModelCard:
    """Return a card with the name, hash and size of another file."""
    size = weights.stat().st_size
    return dataclasses.replace(
        card, file=weights.name, sha256=hash_file(weights), bytes=size
    )


def verified(path: Path, task: str, parameters: Set[str]) -> ModelCard:
    """Return the card of the weights in ``path`` after checking them against it.

    Args:
        path: the weights; the card is next to them.
        task: the task that the model must have.
        parameters: names of the numbers that the card must give.

    Raises:
        BadModel: weights or card are missing, the hash differs, the model is for
            another task, or a number is not allowed; the message says what was expected
            and found.
    """
    card = load_card(path.with_suffix(".json"))
    if card.task != task:
        raise BadModel(f"{path} is for {card.task!r}; expected a model to {task!r}")
    if missing := sorted(parameters - set(card.parameters)):
        raise BadModel(f"the card of {path} does not give {', '.join(missing)}")
    check_numbers(card.parameters, OF_TASKS.get(task, {}), f"the card of {path}")
    if not path.is_file():
        raise BadModel(f"there are no weights {path}, which its card promises")
    size = path.stat().st_size
    if size != card.bytes:
        raise BadModel(f"{path} has {size} bytes; its card promises {card.bytes}")
    found = hash_file(path)
    if found != card.sha256:
        raise BadModel(f"{path} has SHA-256 {found}; its card promises {card.sha256}")
    return card
