"""`icf-train`: make the models anew, and see what the bundled ones are."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import BrokenMachine, WrongUse
from icf.models.cards import BUNDLED, ModelCard, bundled_path, verified
from icf.tools.training_art import sources

if TYPE_CHECKING:
    from rich.table import Table

#: What the ``train`` extra brings.
EXTRA = ("onnx", "onnxscript", "resvg_py")
#: Programs that fetch and draw the art.
PROGRAMS = ("npm", "node", "apt-get", "dpkg-deb")
TASKS = {"detector": "detect", "embedder": "embed", "photo": "judge"}
#: Models whose training goes on from a checkpoint.
LONG = ("detector", "embedder")

Tell = Callable[[str], None]

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
        help="Folder of the checkpoint, to go on from  [default: beside the art].",
    ),
    click.option(
        "--steps",
        type=click.IntRange(1),
        help="Batches in all  [default: the recipe's].",
    ),
    click.option("--seed", type=int, help="Of the run  [default: the recipe's]."),
    click.option(
        "--threads",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processors for the network; one more draws what it sees.",
    ),
    click.option("--dry-run", is_flag=True, help="Only say what would be done."),
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
    """Train the detector by the recipe of the bundled one, and export it with its card.

    The art that it learns from is fetched and drawn first, once. A run that was cut off
    goes on when the same command is given again. It needs the `train` extra, npm, node
    and Debian's apt-get.
    """
    _train(invocation, "detector", **options)


@cli.command("embedder")
@_training_options
@shared_options
@pass_invocation
@example("icf-train embedder --out models --dry-run")
def embedder(invocation: Invocation, /, **options: Any) -> None:
    """Train the embedder by the recipe of the bundled one, and export it with its card.

    The art that it learns from is fetched and drawn first, once. A run that was cut off
    goes on when the same command is given again. It needs the `train` extra, npm, node
    and Debian's apt-get.
    """
    _train(invocation, "embedder", **options)


@cli.command("photo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the ONNX file and its card.",
)
@click.option("--seed", type=int, help="Of the examples  [default: the recipe's].")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@shared_options
@pass_invocation
@example("icf-train photo --out models --dry-run")
def photo(invocation: Invocation, out: Path, seed: int | None, dry_run: bool) -> None:
    """Fit the judge of photographs by the recipe of the bundled one, with its card.

    The art that it learns from is fetched and drawn first, once; the rest takes
    minutes. It needs the `train` extra, npm, node and Debian's apt-get.
    """
    path = out / "photo.onnx"
    if dry_run:
        told = f"would fit the judge of photographs into {path}"
        invocation.emit({"out": str(path)}, lambda: told)
        return
    check_machine()
    card = _fit_photo(out, {} if seed is None else {"seed": seed}, invocation.say)
    invocation.emit(summary(card, path), lambda: _table([card]))


@cli.command("status")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the checkpoints  [default: beside the art].",
)
@shared_options
@pass_invocation
@example("icf-train status --json")
def status(invocation: Invocation, work: Path | None) -> None:
    """Say how far training runs are.

    With --json: {"detector": {"step", "steps", "seed"} or null, "embedder": ...}.
    """
    found = {name: progress(work or _beside_the_art(name), name) for name in LONG}
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
    """List the bundled models, once their weights are what their cards promise.

    With --json: {NAME: {"path", "sha256", "bytes", "created", "figures"}}.
    """
    cards = {name: _verified(name) for name in BUNDLED}
    invocation.emit(
        {name: summary(card, bundled_path(name)) for name, card in cards.items()},
        lambda: _table(list(cards.values())),
    )


def summary(card: ModelCard, path: Path) -> dict[str, Any]:
    """What a script wants to know of a model."""
    return {
        "path": str(path),
        "sha256": card.sha256,
        "bytes": card.bytes,
        "created": card.created,
        "figures": dict(card.figures),
    }


def progress(work: Path, name: str) -> dict[str, int] | None:
    """Read how far the run in a folder is; None if there is none."""
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
        WrongUse: the ``train`` extra is not installed.
        BrokenMachine: a program that fetches or draws the art is missing.
    """
    if lacking := [name for name in EXTRA if not importlib.util.find_spec(name)]:
        raise WrongUse(
            f"training needs {', '.join(lacking)}: install the train extra: "
            "pip install 'icf-toolkit[train]', in a checkout pip install -e '.[train]'"
        )
    if (sources.drawn() / "sculpted").is_dir():
        return  # the modelled people come last: the rest is there
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        raise BrokenMachine(
            f"the art to train on is not in {sources.drawn()}; to fetch and draw it, "
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
    work = work or _beside_the_art(name)
    path = out / f"{name}.onnx"
    if dry_run:
        value = {"out": str(path), "work": str(work), "run": progress(work, name)}
        told = f"would train the {name} into {path}, with its checkpoint in {work}"
        invocation.emit(value, lambda: told)
        return
    check_machine()
    asked = {"steps": steps, "seed": seed}
    changes = {key: value for key, value in asked.items() if value is not None}
    card = TRAINERS[name](out, work, changes, threads, invocation.say)
    invocation.emit(summary(card, path), lambda: _table([card]))


# PyTorch takes seconds to import: only a training waits for it.
def _train_detector(
    out: Path, work: Path, changes: dict[str, int], threads: int, tell: Tell
) -> ModelCard:
    import torch

    from icf.models.training import export_detector, train_detector
    from icf.tools.training_art import make
    from icf.tools.training_art.sources import mobilenet_weights

    torch.set_num_threads(threads)
    make.main()
    recipe = train_detector.Recipe(**changes)
    train_detector.train(recipe, work, mobilenet_weights(), tell)
    return export_detector.bundle(work / train_detector.CHECKPOINT, out)


def _train_embedder(
    out: Path, work: Path, changes: dict[str, int], threads: int, tell: Tell
) -> ModelCard:
    import torch

    from icf.models.training import export_embedder, train_embedder
    from icf.tools.training_art import make
    from icf.tools.training_art.sources import mobilenet_weights

    torch.set_num_threads(threads)
    make.main()
    recipe = train_embedder.Recipe(**changes)
    train_embedder.train(recipe, work, mobilenet_weights(), tell)
    return export_embedder.bundle(work / train_embedder.CHECKPOINT, out)


def _fit_photo(out: Path, changes: dict[str, int], tell: Tell) -> ModelCard:
    import torch

    from icf.models.training import export_photo, train_photo
    from icf.tools.training_art import make
    from icf.tools.training_art.collections import collections
    from icf.tools.training_art.sources import mobilenet_weights

    torch.set_num_threads(1)
    make.main()
    sources.fetch_photographs()
    recipe, found = train_photo.Recipe(**changes), collections()
    net = train_photo.fit(recipe, mobilenet_weights(), found, tell)
    return export_photo.bundle(net, recipe, found, out, tell)


TRAINERS = {"detector": _train_detector, "embedder": _train_embedder}


def _verified(name: str) -> ModelCard:
    return verified(bundled_path(name), TASKS[name], frozenset())


def _beside_the_art(name: str) -> Path:
    return sources.drawn().parent / name


def _table(cards: list[ModelCard]) -> Table:
    rows = []
    for card in cards:
        for group, figures in card.figures.items():
            told = ", ".join(f"{name} {value}" for name, value in figures.items())
            rows.append([card.name, card.sha256[:12], card.created, group, told])
    return command.table(["model", "sha256", "created", "measured on", "figures"], rows)
