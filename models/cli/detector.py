"""`icf-train detector`: train what finds faces."""

from __future__ import annotations

from typing import Any

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cli.asked import Asked
from icf.models.cli.training import run_training, training_options


@click.command("detector")
@training_options
@click.option(
    "--mix",
    type=click.Choice(["auto"]),
    help="Decide on the share of data with photographed faces by short trainings.",
)
@shared_options
@pass_invocation
@example("icf-train detector --data workspace --from bundled --out mine --dry-run")
def detector(invocation: Invocation, /, **options: Any) -> None:
    """Train a detector, and export it with its card.

    Photographed faces can help to find drawn ones, or cost it. With --mix auto, some
    shares are tried for a few hundred steps each and measured in both domains; the
    best for drawn faces that costs photographed ones little is taken, and the card says
    so. It also says where the boxes are only a detector's own, that nobody looked at.

    Give the same command again to resume an interrupted run; torchrun starts it on
    several GPUs. With --json the last line is {"model", "path", "steps", "seconds",
    "figures"}: the hash of the weights, and what was measured on held-out pictures.

    --recipe bundled makes the bundled detector again. It fetches and draws its pictures
    first, once, and needs a clone of the repository, npm, node and Debian's apt-get.
    """
    run_training(invocation, "detector", Asked(**options))
