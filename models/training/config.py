"""The configuration of a training: typed, read from TOML, with recipes that come along.

A run takes a recipe, over it the user's file, over that what the command line says. An
unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from icf.errors import WrongUse
from icf.settings import what_is_wrong

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: What ``--recipe`` takes.
RECIPES = ("default", "full", "paper", "bundled")

#: Integers of PyTorch are under this.
_WHOLE = 2**63

Table = Mapping[str, Any]


class Section(BaseModel):
    """A part of a configuration: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _is_of_its_type(cls, value: object, info: pydantic.ValidationInfo) -> object:
        """Refuse what pydantic would read as another type, as ``true`` as 1."""
        types = set(_types(cls.model_fields[info.field_name or ""].annotation))
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, bool | str) and not types & {type(each), Literal, Any}:
                raise ValueError("write a number, without quotation marks")
            if isinstance(each, int) and types == {bool} and type(each) is not bool:
                raise ValueError("write true or false, without quotation marks")
            if isinstance(each, int) and not -_WHOLE <= each < _WHOLE:
                raise ValueError("it should be less than 2**63, and have 64 bits")
        return value


def _types(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of.

    >>> set(_types(tuple[float, ...] | None)) == {float, type(None), ...}
    True
    """
    if get_origin(annotation) is Literal:
        yield Literal
    elif inner := get_args(annotation):
        for each in inner:
            yield from _types(each)
    else:
        yield annotation


class LoopSettings(Section):
    """How networks are trained, whatever they are."""

    seed: int = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        description="of batches, augmentation, first weights",
    )
    steps: int | None = Field(
        default=None, ge=1, description="batches in all; not given: from epochs"
    )
    epochs: float = Field(default=20.0, gt=0, description="where steps is not given")
    batch: int = Field(
        default=128, ge=1, description="crops or pictures a step, over all ranks"
    )
    optimiser: Literal["adamw", "sgd"] = Field(
        default="adamw", description="AdamW, or SGD with momentum"
    )
    rate: float = Field(default=1e-3, gt=0, description="learning rate at its highest")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of SGD")
    weight_decay: float = Field(
        default=5e-4, ge=0, description="of weights; biases and norms have none"
    )
    schedule: Literal["cosine", "steps", "trapezoid", "constant"] = Field(
        default="cosine",
        description="how the rate falls: along a cosine to 0, at milestones, along a "
        "line in the last fifth, or never",
    )
    warm_up: float = Field(
        default=0.05, ge=0, lt=1, description="part of the run in which the rate rises"
    )
    milestones: tuple[float, ...] = Field(
        default=(0.5, 0.75, 0.9),
        description="parts of the run after which `steps` lowers the rate",
    )
    factor: float = Field(
        default=0.1, gt=0, le=1, description="by which a milestone multiplies the rate"
    )
    clip: float = Field(
        default=5.0, ge=0, description="largest length of the gradient; 0: any"
    )
    average: float = Field(
        default=0.998,
        ge=0,
        lt=1,
        description="decay of the moving average of the weights, which is the result; "
        "0: the last weights are",
    )
    mean_of: int | None = Field(
        default=None,
        ge=1,
        description="the result is the mean of the weights that the run starts from "
        "and of the moving average at so many equal distances; not given: the moving "
        "average at the end",
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        default="bfloat16",
        description="of the networks; losses are float32. For bfloat16, float32 is "
        "taken on devices that only emulate it, such as processors without AVX-512",
    )
    channels_last: bool = Field(default=True, description="memory format of pictures")
    save_every: int = Field(default=200, ge=1, description="steps between checkpoints")
    log_every: int = Field(
        default=20, ge=1, description="steps between lines of the log"
    )
    measure_every: int = Field(
        default=0, ge=0, description="steps between measurements; 0: only at the end"
    )
    workers: int = Field(
        default=1,
        ge=0,
        le=1024,
        description="processes a rank that make batches, at most one a processor; "
        "0: none",
    )
    trackers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = Field(
        default=(), description="what else gets the figures; log.jsonl always does"
    )


class TrainingConfig(Section):
    """The configuration of one run; a task adds its own sections to the loop's."""

    loop: LoopSettings = LoopSettings()


Config = TypeVar("Config", bound=TrainingConfig)


def read_config(
    kind: type[Config],
    task: str,
    *,
    recipe: str = "default",
    file: Path | None = None,
    changes: Mapping[str, object] | None = None,
    from_model: bool = False,
) -> Config:
    """Read the configuration of a run.

    Args:
        kind: the task's class.
        task: ``"embedder"`` or ``"detector"``: the recipe is
            ``recipes/TASK-RECIPE.toml``.
        recipe: one of `RECIPES`.
        file: TOML of the user, over the recipe.
        changes: values by dotted key, ``{"loop.steps": 100}``, over both; None is left
            out.
        from_model: the run starts from a trained model: where there is a
            ``recipes/TASK-RECIPE-from.toml``, it lies over the recipe.

    Raises:
        WrongUse: a file cannot be read, a key is unknown, or a value does not fit.
    """
    layers: list[tuple[Table, str]] = [(_recipe(task, recipe), f"recipe {recipe}")]
    if from_model and (over := _stored(f"{task}-{recipe}-from")) is not None:
        layers.append((over, f"recipe {recipe} with --from"))
    if file is not None:
        layers.append((_parsed(file), str(file)))
    given = {key: value for key, value in (changes or {}).items() if value is not None}
    layers.append((_nested(given), "the command line"))
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for table, origin in layers:
        _check_known(kind, table, origin)
        merged = _merged(merged, table)
        origins.update(dict.fromkeys(_keys(table), origin))
    try:
        return kind.model_validate(merged)
    except pydantic.ValidationError as error:
        raise WrongUse(_explained(error, origins)) from error


def text_of(config: TrainingConfig) -> str:
    """Return a configuration as JSON with sorted keys; equal ones give equal texts."""
    return json.dumps(config.model_dump(mode="json"), sort_keys=True)


def digest_of(config: TrainingConfig) -> str:
    """Return the SHA-256 of `text_of`."""
    return hashlib.sha256(text_of(config).encode()).hexdigest()


def _recipe(task: str, recipe: str) -> Table:
    found = _stored(f"{task}-{recipe}")
    if found is None:
        known = [name for name in RECIPES if _stored(f"{task}-{name}") is not None]
        raise WrongUse(f"{task} has no recipe {recipe!r}; known are {', '.join(known)}")
    return found


def _stored(name: str) -> Table | None:
    file = resources.files("icf.models.training.recipes").joinpath(f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _parsed(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUse(f"cannot read the configuration {path}: {error}") from error


def _nested(changes: Mapping[str, object]) -> dict[str, Any]:
    """Turn dotted keys into tables."""
    tables: dict[str, Any] = {}
    for key, value in changes.items():
        *above, last = key.split(".")
        table = tables
        for name in above:
            table = table.setdefault(name, {})
        table[last] = value
    return tables


def _merged(below: Table, above: Table) -> dict[str, Any]:
    """Lay one table over another; a named choice with options replaces them whole.

    ``name`` chooses what the ``options`` beside it belong to, so another name does not
    inherit them.
    """
    result = dict(below)
    if "name" in above and above["name"] != below.get("name"):
        result.pop("options", None)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            result[key] = _merged(old, value)
        else:
            result[key] = value
    return result


def _keys(table: Table, above: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{above}{key}.")


def _check_known(kind: type[BaseModel], table: Table, origin: str) -> None:
    known = dict(_fields(kind))
    for key in _keys(table):
        parent = key.rpartition(".")[0]
        while parent and parent not in known:
            parent = parent.rpartition(".")[0]
        # What is below a free table, such as a loss's options, that loss checks.
        free = parent and not known[parent]
        if key not in known and not free:
            near = difflib.get_close_matches(key, known, 1, cutoff=0)
            raise WrongUse(
                f"unknown setting {key!r} in {origin}; the nearest known one is "
                f"{near[0]!r}"
            )


def _fields(kind: type[BaseModel], above: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every dotted key, and whether it is a section with known keys."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        is_table = "dict" in str(inner) or "Mapping" in str(inner)
        yield f"{above}{name}", not is_table
        if inspect.isclass(inner) and issubclass(inner, BaseModel):
            yield from _fields(inner, f"{above}{name}.")


def _explained(error: pydantic.ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        # Of a list, the place in it is no part of the setting's name.
        name = ".".join(each for each in fault["loc"] if isinstance(each, str))
        origin = origins.get(name, "default")
        said = what_is_wrong(fault)
        lines.append(f"{key} = {fault['input']!r} ({origin}): {said}")
    return "\n".join(lines)
