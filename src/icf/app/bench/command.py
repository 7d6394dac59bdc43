"""`icf bench`: the tables of the paper, on data of your own."""

from __future__ import annotations

from typing import Any

import click

from icf import command
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options

cli = command.group("bench", "Make the paper's tables again, on data of your own.")


@cli.command("tables")
@click.argument(
    "release",
    metavar="RELEASE",
    type=GivenPath(exists=True, file_okay=False),
)
@click.option(
    "--out",
    type=GivenPath(file_okay=False),
    required=True,
    help="Folder of the tables, and of the trainings to resume.",
)
@click.option(
    "--table",
    "names",
    type=click.Choice(["3", "4", "5"]),
    multiple=True,
    help="Which; repeatable  [default: 3 and 5, and with --human 4].",
)
@click.option(
    "--human",
    metavar="SPEC",
    help="Photographed faces for table 4, such as folders+human:DIR or rec:DIR.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    help="Losses of table 3, such as adaface; repeatable  [default: the paper's].",
)
@click.option(
    "--config",
    "file",
    type=GivenPath(dir_okay=False, exists=True),
    help="Configuration in TOML, over the recipe paper; losses and enlargements are "
    "the tables' own.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Batches of each training  [default: the recipe's 60 epochs].",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Trainings of each row.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be trained.")
@shared_options
@pass_invocation
@example("icf bench tables published --out tables --dry-run")
def tables_command(invocation: Invocation, /, **options: Any) -> None:
    """Train and score what the paper compares, and write its tables 3, 4 and 5.

    RELEASE is a folder of icf-build-splits, or the published iCartoonFace. Models are
    trained on its training part and scored on its recognition test, by the official
    protocol and with the boxes of the test. DIR gets tables.md, a CSV for each table,
    and cmc.svg with the curves of figure 6; beside each figure is the paper's, which is
    for the published data.

    Each training has a folder of its own. If the command is interrupted, run it again
    to continue: what is done is not repeated. torchrun starts it on several GPUs.
    """
    from icf.app.bench.asked import Asked, run_tables

    run_tables(invocation, Asked(**options))
