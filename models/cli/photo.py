"""`icf-train photo`: fit the judge of photographs."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.models.cli.art import check_machine
from icf.models.cli.listed import models_table, summary


@click.command("photo")
@click.option(
    "--out",
    type=GivenPath(file_okay=False),
    required=True,
    help="Folder for the ONNX file and its card.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Random seed of the examples  [default: the recipe's].",
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
    from icf.models.training.photo.bundle import bundle_photo

    changes = {} if seed is None else {"seed": seed}
    card = bundle_photo(out, changes, invocation.say)
    invocation.emit(summary(card, path), lambda: models_table([card]))
