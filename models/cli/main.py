"""`icf-train`: train detectors and embedders, and list those that come along."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "icf-train",
    "Train the detector and the embedder.",
    {
        "embedder": Subcommand(
            "icf.models.cli.embedder:embedder", "Train an embedder, and export it."
        ),
        "detector": Subcommand(
            "icf.models.cli.detector:detector", "Train a detector, and export it."
        ),
        "photo": Subcommand(
            "icf.models.cli.photo:photo", "Fit the judge of photographs."
        ),
        "status": Subcommand(
            "icf.models.cli.status:status", "Show the progress of training runs."
        ),
        "ruler": Subcommand(
            "icf.models.cli.ruler:ruler", "Measure models on real drawings."
        ),
        "models": Subcommand(
            "icf.models.cli.models:models", "Check and list the bundled models."
        ),
    },
)


def main() -> None:
    """Run `icf-train`."""
    command.run(cli)
