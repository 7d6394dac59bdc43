"""`icf-harvest run`: list what the sources have, and fetch it."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.harvest.cli.work import (
    complain,
    dry_run_option,
    only_count,
    only_licence_option,
    refresh_option,
    source_option,
    summary,
    told,
    worked,
)
from icf.harvest.run import Work


@click.command("run")
@source_option
@refresh_option
@only_licence_option
@dry_run_option
@shared_options
@pass_invocation
@example("icf-harvest run")
def run_command(
    invocation: Invocation, sources: tuple[str, ...], refresh: bool, dry_run: bool
) -> None:
    """List what the sources in icf.toml have, and fetch it.

    That is `albums`, `characters` and `images` side by side. Interrupted or killed, the
    same command goes on where it was. What is listed and fetched is not asked for
    again. A URL that brings no picture gets a fate that says why; that is no failure of
    the run.
    """
    work = Work(sources=sources, refresh=refresh)
    if dry_run:
        only_count(invocation, work)
        return
    outcome = worked(invocation, work)
    invocation.emit(summary(outcome), lambda: told(outcome))
    complain(outcome)
