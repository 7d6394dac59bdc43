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
        "verification": Subcommand(
            "icf.dataset.cli.evaluate.verification:verification",
            "Compute how well genuine and impostor pairs are told apart.",
        ),
        "open-set": Subcommand(
            "icf.dataset.cli.evaluate.open_set:open_set",
            "Compute how well known characters are identified among unknown ones.",
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
