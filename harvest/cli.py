"""`icf-harvest`: from albums to characters to images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import click
from rich.console import Group
from rich.filesize import decimal

from icf import command
from icf.codes import Fate
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import SomeFailed
from icf.harvest.run import (
    Outcome,
    count_listings,
    count_pending,
    declared_sources,
    harvest,
)
from icf.harvest.status import (
    ASKABLE,
    PASSING,
    count_failed_listings,
    count_fates,
    count_images,
    count_urls,
    list_again,
    make_pending,
    troubled_listings,
    urls_of,
)

_SHOWN = 20

cli = command.group("icf-harvest", "Harvest albums, characters and their images.")


def main() -> None:
    """Run `icf-harvest`."""
    command.run(cli)


@cli.command("run")
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


@cli.command("status")
@click.option(
    "--fate",
    type=click.Choice([fate.value for fate in Fate]),
    help="List the URLs with this fate, and why.",
)
@click.option("--limit", default=_SHOWN, show_default=True, help="URLs to list.")
@shared_options
@pass_invocation
@example("icf-harvest status --json")
def status_command(invocation: Invocation, fate: str | None, limit: int) -> None:
    """Count URLs by fate, images and bytes."""
    with invocation.workspace.catalogue.read() as connection:
        if fate is not None:
            rows = urls_of(connection, Fate[fate.upper()], limit)
            cells = [
                (row.url, row.http_status or "", row.message or "") for row in rows
            ]
            invocation.emit(
                {"urls": [asdict(row) for row in rows]},
                lambda: table(("URL", "HTTP", "why"), cells),
            )
            return
        urls = count_urls(connection)
        images, size = count_images(connection)
        troubles = troubled_listings(connection, _SHOWN)
    counts = {"urls": urls, "images": images, "bytes": size}
    invocation.emit(counts, lambda: _drawn(urls, images, size))
    for trouble in troubles:
        invocation.say(f"{trouble.source}: {trouble.subject}: {trouble.message}")


@cli.command("retry")
@click.option(
    "--fate",
    "fates",
    multiple=True,
    type=click.Choice([fate.value for fate in ASKABLE]),
    help="Ask URLs with this fate again; may be repeated  [default: "
    + ", ".join(fate.value for fate in PASSING)
    + "].",
)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@shared_options
@pass_invocation
@example("icf-harvest retry --fate not_found")
def retry_command(
    invocation: Invocation, fates: tuple[str, ...], dry_run: bool
) -> None:
    """Make failed URLs and listings pending; the next run asks them again.

    With --fate stored, pictures are asked for again too; changed bytes become a new
    image beside the old one.
    """
    chosen = tuple(Fate[fate.upper()] for fate in fates) or PASSING
    catalogue = invocation.workspace.catalogue
    if dry_run:
        with catalogue.read() as connection:
            urls = count_fates(connection, chosen)
            listings = count_failed_listings(connection)
    else:
        with catalogue.write() as connection:
            urls = make_pending(connection, chosen)
            listings = list_again(connection)
    counts = {"urls": urls, "listings": listings}
    would = "would be" if dry_run else "are"
    invocation.emit(
        counts, lambda: f"{urls} URLs and {listings} listings {would} pending again"
    )


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


def _drawn(urls: Mapping[str, int], images: int, size: int) -> Group:
    rows = [(fate, count, _meaning(fate)) for fate, count in urls.items()]
    return Group(
        table(("URLs", "count", ""), rows), f"\n{images} images, {decimal(size)}"
    )


def _meaning(fate: str) -> str:
    return "" if fate == "total" else Fate[fate.upper()].meaning
