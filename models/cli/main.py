"""`icf-train`: train the bundled models again, and list them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import BrokenMachine, WrongUse
from icf.models.cards import BUNDLED, ModelCard, bundled_path, verified

if TYPE_CHECKING:
    from rich.table import Table

#: Packages of the ``train`` extra.
EXTRA = ("onnx", "onnxscript", "resvg_py")
#: Programs that fetch and draw the training pictures.
PROGRAMS = ("npm", "node", "apt-get", "dpkg-deb")
TASKS = {"detector": "detect", "embedder": "embed", "photo": "judge"}
#: Models whose training resumes from a checkpoint.
LONG = ("detector", "embedder")

cli = command.group("icf-train", "Train the models that come with the program.")


def main() -> None:
    """Run `icf-train`."""
    command.run(cli)


_TRAINING_OPTIONS = (
    click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        help="Folder for the ONNX file and its card.",
    ),
    click.option(
        "--work",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the checkpoint to resume  [default: in the cache].",
    ),
    click.option(
        "--steps",
        type=click.IntRange(1),
        help="Number of batches  [default: the recipe's].",
    ),
    click.option("--seed", type=int, help="Random seed  [default: the recipe's]."),
    click.option(
        "--threads",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processors for the network; one more draws its input.",
    ),
    click.option("--dry-run", is_flag=True, help="Only show what would be done."),
)


def _training_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_TRAINING_OPTIONS):
        function = option(function)
    return function


@cli.command("detector")
@_training_options
@shared_options
@pass_invocation
@example("icf-train detector --out models --dry-run")
def detector(invocation: Invocation, /, **options: Any) -> None:
    """Train the detector by the bundled one's recipe, and export it with its card.

    The training pictures are fetched and drawn first, once. Give the same command
    again to resume an interrupted run. It needs a clone of the repository, the `train`
    extra, npm, node and Debian's apt-get.
    """
    _train(invocation, "detector", **options)


@cli.command("embedder")
@_training_options
@shared_options
@pass_invocation
@example("icf-train embedder --out models --dry-run")
def embedder(invocation: Invocation, /, **options: Any) -> None:
    """Train the embedder by the bundled one's recipe, and export it with its card.

    The training pictures are fetched and drawn first, once. Give the same command
    again to resume an interrupted run. It needs a clone of the repository, the `train`
    extra, npm, node and Debian's apt-get.
    """
    _train(invocation, "embedder", **options)


@cli.command("photo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the ONNX file and its card.",
)
@click.option(
    "--seed", type=int, help="Random seed of the examples  [default: the recipe's]."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@shared_options
@pass_invocation
@example("icf-train photo --out models --dry-run")
def photo(invocation: Invocation, out: Path, seed: int | None, dry_run: bool) -> None:
    """Fit the judge of photographs by the bundled one's recipe, with its card.

    The training pictures are fetched and drawn first, once; the rest takes minutes. It
    needs a clone of the repository, the `train` extra, npm, node and Debian's apt-get.
    """
    path = out / "photo.onnx"
    if dry_run:
        text = f"would fit the judge of photographs into {path}"
        invocation.emit({"out": str(path)}, lambda: text)
        return
    check_machine()
    from icf.models.training.bundled import bundled_recipes

    changes = {} if seed is None else {"seed": seed}
    card = bundled_recipes.photo(out, changes, invocation.say)
    invocation.emit(summary(card, path), lambda: _table([card]))


@cli.command("status")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the checkpoints  [default: in the cache].",
)
@shared_options
@pass_invocation
@example("icf-train status --json")
def status(invocation: Invocation, work: Path | None) -> None:
    """Show the progress of training runs.

    With --json: {"detector": {"step", "steps", "seed"} or null, "embedder": ...}.
    """
    found = {name: progress(work or _cached(name), name) for name in LONG}
    invocation.emit(
        found,
        lambda: "\n".join(
            f"{name}: {run['step']:,} of {run['steps']:,} steps, seed {run['seed']}"
            if run
            else f"{name}: no run"
            for name, run in found.items()
        ),
    )


@cli.command("models")
@shared_options
@pass_invocation
@example("icf-train models --json")
def models(invocation: Invocation) -> None:
    """Check the bundled models against their cards and list them.

    With --json: {NAME: {"path", "sha256", "bytes", "created", "figures"}}.
    """
    cards = {name: _verified(name) for name in BUNDLED}
    invocation.emit(
        {name: summary(card, bundled_path(name)) for name, card in cards.items()},
        lambda: _table(list(cards.values())),
    )


def summary(card: ModelCard, path: Path) -> dict[str, Any]:
    """A model as ``--json`` shows it."""
    return {
        "path": str(path),
        "sha256": card.sha256,
        "bytes": card.bytes,
        "created": card.created,
        "figures": dict(card.figures),
    }


def progress(work: Path, name: str) -> dict[str, int] | None:
    """Read the progress of the run in a folder; None if there is none."""
    checkpoint = work / f"{name}.safetensors"
    if not checkpoint.exists():
        return None
    import safetensors

    with safetensors.safe_open(checkpoint, "np") as file:
        about = file.metadata()
    recipe = json.loads(about["recipe"])
    return {
        "step": int(about["step"]),
        "steps": int(recipe["steps"]),
        "seed": int(recipe["seed"]),
    }


def check_machine() -> None:
    """Check that this machine can train.

    Raises:
        WrongUse: this is no clone of the repository, or the ``train`` extra is not
            installed.
        BrokenMachine: a program that fetches or draws the pictures is missing.
    """
    if not importlib.util.find_spec("icf.tools"):
        raise WrongUse(
            "the bundled models are trained on pictures drawn by icf.tools, which only "
            "a clone of the repository has: clone it, run "
            "pip install -e '.[train]' there, and give this command again"
        )
    if lacking := [name for name in EXTRA if not importlib.util.find_spec(name)]:
        raise WrongUse(
            f"training needs {', '.join(lacking)}: install the train extra: "
            "pip install -e '.[train]'"
        )
    drawn = _cached("drawn")
    if (drawn / "sculpted").is_dir():
        return  # drawn last: everything else is there
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        raise BrokenMachine(
            f"the training pictures are not in {drawn}; to fetch and draw them, "
            f"this machine lacks {', '.join(lacking)}; Debian's npm brings npm and node"
        )


def _train(
    invocation: Invocation,
    name: str,
    out: Path,
    work: Path | None,
    steps: int | None,
    seed: int | None,
    threads: int,
    dry_run: bool,
) -> None:
    work = work or _cached(name)
    path = out / f"{name}.onnx"
    if dry_run:
        value = {"out": str(path), "work": str(work), "run": progress(work, name)}
        text = f"would train the {name} into {path}, with its checkpoint in {work}"
        invocation.emit(value, lambda: text)
        return
    check_machine()
    # PyTorch takes seconds to import: only a training waits for it.
    from icf.models.training.bundled import bundled_recipes

    given = {"steps": steps, "seed": seed}
    changes = {key: value for key, value in given.items() if value is not None}
    train = {"detector": bundled_recipes.detector, "embedder": bundled_recipes.embedder}
    card = train[name](out, work, changes, threads, invocation.say)
    invocation.emit(summary(card, path), lambda: _table([card]))


def _verified(name: str) -> ModelCard:
    return verified(bundled_path(name), TASKS[name], frozenset())


def _cached(name: str) -> Path:
    """A folder of the cache: ``drawn`` has the pictures, the others checkpoints."""
    root = os.environ.get("ICF_ART_CACHE") or Path.home() / ".cache/icf-art"
    return Path(root) / name


def _table(cards: list[ModelCard]) -> Table:
    rows = []
    for card in cards:
        for group, figures in card.figures.items():
            text = ", ".join(f"{name} {value}" for name, value in figures.items())
            rows.append([card.name, card.sha256[:12], card.created, group, text])
    return command.table(["model", "sha256", "created", "measured on", "figures"], rows)
