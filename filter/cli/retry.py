"""`icf-filter retry`: judge again what a step failed on."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter.retry import retry


@click.command("retry")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@shared_options
@pass_invocation
@example("icf-filter retry --dry-run")
def retry_command(invocation: Invocation, dry_run: bool) -> None:
    """Send what a step failed on back to this step.

    These are the images and faces with the reason step_failed, crashed or hung. Once
    the step or the machine is mended, `icf-filter run` judges them again.
    """
    counts = retry(invocation.workspace, dry_run=dry_run)
    would = "would wait" if dry_run else "wait"
    lines = [f"{number:,} items {would} for {step}" for step, number in counts.items()]
    invocation.emit(
        dict(counts), lambda: "\n".join(lines) or "no step failed on anything"
    )
    if counts and not dry_run:
        invocation.say(
            "`icf-filter run` judges them again; then `icf-filter rethreshold` does so "
            "with the faces of pictures that come back"
        )
