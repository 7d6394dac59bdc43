"""What `icf-train embedder` and `icf-train detector` share: options, and the run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from icf.command import GivenPath, Invocation
from icf.errors import WrongUse
from icf.models.cli.art import check_machine
from icf.models.cli.asked import Asked, workspace_of
from icf.models.cli.listed import models_table
from icf.models.registry.tasks import Task

Function = Callable[..., Any]

_OPTIONS = (
    click.option(
        "--data",
        "data",
        metavar="SPEC",
        multiple=True,
        help="What to train on; several are mixed. workspace, release:DIR, "
        "icartoonface:DIR, folders:DIR, rec:DIR, widerface:DIR, manga109:DIR, "
        "coco:FILE, yolo:DIR or csv:FILE; with its share as in folders:DIR=0.25.",
    ),
    click.option(
        "--out",
        type=GivenPath(file_okay=False),
        required=True,
        help="Folder of the model, and of its run to resume.",
    ),
    click.option(
        "--config",
        "file",
        type=GivenPath(dir_okay=False, exists=True),
        help="Configuration in TOML, over the recipe.",
    ),
    click.option(
        "--recipe",
        default="default",
        show_default=True,
        help="Configuration to begin with: default, paper, bundled; for the detector "
        "also full.",
    ),
    click.option("--backbone", help="Name of the network  [default: the recipe's]."),
    click.option(
        "--from",
        "start",
        metavar="MODEL",
        help="Model to start from: weights, a name, an alias, a hash, or bundled.",
    ),
    click.option(
        "--steps",
        type=click.IntRange(1),
        help="Number of batches  [default: the recipe's].",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        help="Random seed  [default: the recipe's].",
    ),
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where to compute.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1),
        help="Processors for the network  [default: all].",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Read the data, and only show what would be done.",
    ),
)


def training_options(function: Function) -> Function:
    """Give a command the options of every training."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def run_training(invocation: Invocation, task: Task, asked: Asked) -> None:
    """Train as a command line asks, and print the model.

    Raises:
        WrongUse: options do not fit one another, or name what is not there.
    """
    if not asked.data and asked.recipe != "bundled":
        raise WrongUse("--data is missing: say what to train on, such as workspace")
    if asked.data and asked.recipe == "bundled":
        raise WrongUse("--recipe bundled draws its own pictures: leave out --data")
    if asked.mix is not None and asked.recipe == "bundled":
        raise WrongUse(
            "--mix is for --data, and --recipe bundled has none; leave it out"
        )
    if asked.start is not None and asked.backbone is not None:
        raise WrongUse(
            "--from and --backbone exclude each other: a model that is trained further "
            "keeps its network"
        )
    if asked.dry_run:
        _say_plan(invocation, task, asked)
        return
    if asked.recipe == "bundled":
        check_machine()
    from icf.models.cli.trained import train_as_asked

    trained = train_as_asked(invocation, task, asked)
    # Under torchrun all processes come here; one speaks for them.
    if os.environ.get("RANK", "0") == "0":
        invocation.emit(trained.as_json(), lambda: models_table([trained.card]))


def _say_plan(invocation: Invocation, task: Task, asked: Asked) -> None:
    from icf.models.cli.status import run_in

    found = run_in(asked.out)
    path = asked.out / f"{task}.onnx"
    value: dict[str, Any] = {
        "out": str(path),
        "data": list(asked.data),
        "run": found,
    }
    going = "train" if found is None else f"go on from step {found['step']:,} with"
    text = f"would {going} the {task} {path}"
    if asked.recipe != "bundled":  # which needs what an installed package has not
        counts = _count_data(invocation, task, asked)
        value |= counts
        text += "".join(f", {what}: {each:,}" for what, each in counts.items())
    invocation.emit(value, lambda: text)


def _count_data(invocation: Invocation, task: Task, asked: Asked) -> dict[str, int]:
    """Read what would be trained on, and say what is left out of it.

    Returns:
        How much it is; nothing where some of it is not there: it may be made before the
        training.

    Raises:
        IcfError: what training would raise.
    """
    from icf.models.cli.trained import read_asked, read_data
    from icf.models.training.train import check_run

    workspace = workspace_of(invocation)
    start, config, specs = read_asked(task, asked, workspace)
    places = {str(each): Path(each.place).expanduser() for each in specs if each.place}
    if missing := [text for text, place in places.items() if not place.exists()]:
        for text in missing:
            invocation.say(f"--data {text}: it is not there yet, so nothing is counted")
        return {}
    index = read_data(task, specs, workspace, invocation.say)
    for each in index.skipped:
        invocation.say(str(each))
    if asked.mix is None:  # which changes the configuration, by short trainings
        check_run(task, index, config, asked.out, start)
    faces = int((~index.ignored).sum())
    counts = {"pictures": len(index), "faces": faces}
    return counts | (
        {"identities": len(index.identities)} if task == "embedder" else {}
    )
