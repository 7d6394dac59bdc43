"""`icf-filter`: from images to faces that are worth asking people about."""

from __future__ import annotations

from functools import partial

import click

from icf import command
from icf.command import Subcommand

#: The steps, in order, and what each does.
STEPS = {
    "detect": "Find the faces in images, and measure them.",
    "aspect": "Drop images that are too small, and strips.",
    "photo": "Drop photographs.",
    "faces": "Drop images in which the detector is sure of no face.",
    "exact": "Drop images with the very pixels of an earlier one.",
    "score": "Drop what the detector is too unsure of.",
    "picture": "Drop the faces of images that are out.",
    "size": "Drop faces of too few pixels.",
    "kind": "Drop photographed human faces.",
    "tone": "Drop faces that are nearly black or nearly one colour.",
    "sharpness": "Drop blurred faces.",
    "embed": "Compute the embeddings of faces.",
    "duplicates": "Drop duplicates of better faces of the same character.",
    "reference": "Choose the reference face of characters that have none.",
    "identity": "Drop faces that are not the character they were found under.",
}


def _step_command(name: str) -> click.Command:
    from icf.filter.cli.run import step_command

    return step_command(name, STEPS[name])


cli = command.group(
    "icf-filter",
    "Filter images down to faces worth asking about.",
    {
        "run": Subcommand(
            "icf.filter.cli.run:run_command",
            "Run all steps over everything that waits for them.",
        ),
        **{
            name: Subcommand(partial(_step_command, name), summary)
            for name, summary in STEPS.items()
        },
        "rethreshold": Subcommand(
            "icf.filter.cli.rethreshold:rethreshold_command",
            "Apply the current thresholds to stored measurements.",
        ),
        "status": Subcommand(
            "icf.filter.cli.status:status_command",
            "Count kept, dropped and pending images and faces, by reason.",
        ),
        "calibrate": Subcommand(
            "icf.filter.cli.calibrate:calibrate_command",
            "Fit the embedder's probabilities to people's answers.",
        ),
        "consistency": Subcommand(
            "icf.filter.cli.consistency:consistency_command",
            "Show the least consistent characters, and the most alike pairs.",
        ),
        "review": Subcommand(
            "icf.filter.cli.review:review_command",
            "Show what the filter suspects, and apply confirmed merges.",
        ),
    },
)


def main() -> None:
    """Run `icf-filter`."""
    command.run(cli)
