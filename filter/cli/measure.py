"""`icf-filter measure`: measure faces that an earlier version found."""

from __future__ import annotations

from contextlib import closing

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine.engine import open_engine
from icf.errors import SomeFailed
from icf.filter.measure import count_unmeasured, measure

#: How many failed faces a message names.
SHOWN = 3


@click.command("measure")
@click.option("--dry-run", is_flag=True, help="Only count the faces.")
@shared_options
@pass_invocation
@example("icf-filter measure --dry-run")
def measure_command(invocation: Invocation, dry_run: bool) -> None:
    """Measure faces that an earlier version found.

    Earlier versions did not measure the sharpness of edges and the real resolution.
    Their faces are judged by the Laplacian variance instead. This command decodes their
    pictures again and stores the new measures; `icf-filter rethreshold` then applies
    the thresholds. If the command is interrupted, run it again to continue.
    """
    workspace = invocation.workspace
    lacking = count_unmeasured(workspace.catalogue)
    if dry_run:
        say = f"{lacking:,} faces lack measures"
        invocation.emit({"lacking": lacking}, lambda: say)
        return
    settings = workspace.settings.filter
    with (
        closing(
            open_engine("local", settings.workers, deadline=settings.deadline)
        ) as engine,
        invocation.progress("measure", lacking) as advance,
    ):
        failed = measure(workspace, engine, advance)
    done = lacking - len(failed)
    result = {"measured": done, "failed": len(failed)}
    invocation.emit(result, lambda: f"measured {done:,} faces")
    if done:
        invocation.say("run `icf-filter rethreshold` to judge them by it")
    if failed:
        first = failed[0]
        raise SomeFailed(
            f"{len(failed):,} faces could not be measured and keep their decisions; "
            f"face {first.id}: {first.message}"
        )
