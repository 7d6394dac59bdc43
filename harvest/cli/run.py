"""`icf-harvest run`: list and fetch what the sources have."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.harvest.cli.work import (
    dry_run_option,
    fetch_and_report,
    only_licence_option,
    refresh_option,
    source_option,
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
    """List and fetch what the sources in icf.toml have.

    This runs `albums`, `characters` and `images` concurrently. After an interruption or
    a kill, run the same command to continue. What is listed and fetched is not
    requested again. A URL without a picture gets a fate that says why; the run does not
    fail because of it.
    """
    work = Work(sources=sources, refresh=refresh)
    fetch_and_report(invocation, work, dry_run=dry_run)
