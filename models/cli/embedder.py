"""`icf-train embedder`: train what tells characters apart."""

from __future__ import annotations

from typing import Any

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cli.asked import Asked
from icf.models.cli.training import run_training, training_options


@click.command("embedder")
@training_options
@click.option("--loss", help="Name of the loss, such as arcface  [default: recipe's].")
@shared_options
@pass_invocation
@example("icf-train embedder --data workspace --from bundled --out mine --dry-run")
def embedder(invocation: Invocation, /, **options: Any) -> None:
    """Train an embedder, and export it with its card.

    Give the same command again to resume an interrupted run; torchrun starts it on
    several GPUs. With --json the last line is {"model", "path", "steps", "seconds",
    "figures"}: the hash of the weights, and what was measured on held-out characters.

    --recipe bundled makes the bundled embedder again. It fetches and draws its pictures
    first, once, and needs a clone of the repository, npm, node and Debian's apt-get.
    """
    run_training(invocation, "embedder", Asked(**options))
