"""`icf-filter`: from images to faces that are worth a question."""

from __future__ import annotations

from functools import partial

import click

from icf import command
from icf.command import Subcommand

#: The steps, in order, and what each does.
STEPS = {
    "detect": "Detect the faces in images, and measure them.",
    "aspect": "Drop images that are too small or too narrow.",
    "photo": "Drop photographs.",
    "faces": "Drop images without a confidently detected face.",
    "exact": "Drop images with the same pixels as an earlier one.",
    "score": "Drop faces with a low detection score.",
    "picture": "Drop the faces of dropped images.",
    "size": "Drop faces that are too small.",
    "kind": "Drop photographed human faces.",
    "tone": "Drop faces that are too dark or of nearly one colour.",
    "sharpness": "Drop blurred faces.",
    "embed": "Compute the embeddings of faces.",
    "duplicates": "Drop duplicates of better faces of the same character.",
    "reference": "Choose a reference face for characters without one.",
    "identity": "Drop faces that are none of their candidate characters.",
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
            "Run all steps on the pending images and faces.",
        ),
        **{
            name: Subcommand(partial(_step_command, name), summary)
            for name, summary in STEPS.items()
        },
        "rethreshold": Subcommand(
            "icf.filter.cli.rethreshold:rethreshold_command",
            "Apply the current thresholds to stored measurements.",
        ),
        "retry": Subcommand(
            "icf.filter.cli.retry:retry_command",
            "Send what a step failed on back to this step.",
        ),
        "measure": Subcommand(
            "icf.filter.cli.measure:measure_command",
            "Measure faces that an earlier version found.",
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
            "Show the least consistent characters and the most similar pairs.",
        ),
        "review": Subcommand(
            "icf.filter.cli.review:review_command",
            "Show suspicions for people to review, and apply merges.",
        ),
    },
)


def main() -> None:
    """Run `icf-filter`."""
    command.run(cli)
