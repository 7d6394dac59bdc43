"""`icf-filter`: from images to faces that are worth asking people about."""

from __future__ import annotations

from icf import command
from icf.filter.cli.calibrate import calibrate_command
from icf.filter.cli.consistency import consistency_command
from icf.filter.cli.rethreshold import rethreshold_command
from icf.filter.cli.review import review_command
from icf.filter.cli.run import run_command, step_command
from icf.filter.cli.status import status_command

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

cli = command.group("icf-filter", "Filter images down to faces worth asking about.")

cli.add_command(run_command)
for _name, _summary in STEPS.items():
    cli.add_command(step_command(_name, _summary))
cli.add_command(rethreshold_command)
cli.add_command(status_command)
cli.add_command(calibrate_command)
cli.add_command(consistency_command)
cli.add_command(review_command)


def main() -> None:
    """Run `icf-filter`."""
    command.run(cli)
