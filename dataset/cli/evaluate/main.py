"""`icf-evaluate`: score a recogniser or a detector on official files."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "icf-evaluate",
    "Score a recogniser or a detector on official files; needs no workspace.",
    {
        "identification": Subcommand(
            "icf.dataset.cli.evaluate.identification:identification",
            "Compute rank-k of a recogniser, as the official script does.",
        ),
        "detection": Subcommand(
            "icf.dataset.cli.evaluate.detection:detection",
            "Compute average precision of a detector, in three named conventions.",
        ),
    },
)


def main() -> None:
    """Run `icf-evaluate`."""
    command.run(cli)
