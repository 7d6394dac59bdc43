"""`icf-harvest run`: list what the sources have, and fetch it."""

from __future__ import annotations

import click
from rich.filesize import decimal

from icf.codes import Fate
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import SomeFailed
from icf.harvest.run import (
    Outcome,
    count_listings,
    count_pending,
    declared_sources,
    harvest,
)

_SHOWN = 20


@click.command("run")
@click.option("--refresh", is_flag=True, help="List again what was listed before.")
@click.option("--dry-run", is_flag=True, help="Only count what is pending.")
@shared_options
@pass_invocation
@example("icf-harvest run")
def run_command(invocation: Invocation, refresh: bool, dry_run: bool) -> None:
    """List what the sources in icf.toml have, and fetch it.

    Interrupted or killed, the same command goes on where it was. What is listed and
    fetched is not asked for again. A URL that brings no picture gets a fate that says
    why; that is no failure of the run.
    """
    if dry_run:
        _count_only(invocation)
        return
    with invocation.progress("fetching", None) as advance:
        outcome = harvest(invocation.workspace, refresh=refresh, finished=advance)
    invocation.emit(_summary(outcome), lambda: _told(outcome))
    _complain(outcome)


def _count_only(invocation: Invocation) -> None:
    workspace = invocation.workspace
    sources = declared_sources(workspace)
    counts = {
        "sources": len(sources),
        "listings": count_listings(workspace.catalogue),
        "urls": count_pending(workspace.catalogue),
    }
    invocation.emit(
        counts,
        lambda: (
            f"{counts['sources']} sources; {counts['listings']} listings and "
            f"{counts['urls']} URLs are pending"
        ),
    )


def _summary(outcome: Outcome) -> dict[str, object]:
    fates = outcome.harvested.fates
    return {
        "listed": outcome.listed.pictures,
        "fates": {fate.value: fates[fate] for fate in Fate if fates[fate]},
        "bytes": outcome.harvested.bytes,
        "pending": outcome.pending,
        "faults": outcome.listed.faults,
        "failed_listings": outcome.listed.failed,
    }


def _told(outcome: Outcome) -> str:
    harvested = outcome.harvested
    stored = harvested.fates[Fate.STORED]
    lines = [
        f"{outcome.listed.pictures} pictures listed, {stored} fetched "
        f"({decimal(harvested.bytes)})"
    ]
    if harvested.failed:
        failed = ", ".join(
            f"{count} {fate.value}"
            for fate, count in sorted(harvested.fates.items())
            if fate not in (Fate.STORED, Fate.UNCHANGED)
        )
        lines.append(
            f"{harvested.failed} brought no picture: {failed}; see "
            "`icf-harvest status --fate ...`, try again with `icf-harvest retry`"
        )
    if outcome.pending:
        hosts = ", ".join(sorted(harvested.given_up)) or "their hosts"
        lines.append(f"{outcome.pending} are pending still: {hosts} refused too often")
    return "\n".join(lines)


def _complain(outcome: Outcome) -> None:
    listed = outcome.listed
    if not listed.faults and not listed.failed:
        return
    shown = listed.faults[:_SHOWN]
    if len(listed.faults) > len(shown):
        shown = [*shown, f"and {len(listed.faults) - len(shown)} more"]
    if listed.failed:
        shown = [
            *shown,
            f"{listed.failed} listings failed; try again with `icf-harvest retry` "
            "and `icf-harvest run`",
        ]
    raise SomeFailed(
        "not everything could be read (`icf-harvest status` shows it again):\n"
        + "\n".join(shown)
    )
