"""`icf-harvest retry`: make failed URLs and listings pending."""

from __future__ import annotations

from dataclasses import replace

import click

from icf.codes import FetchStatus
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.harvest.fates import REMEDIES, RETRYABLE, TEMPORARY
from icf.harvest.report.retry import (
    Selection,
    count_again,
    count_failed_listings,
    list_again,
    make_pending,
)
from icf.harvest.run import declared_sources


@click.command("retry")
@click.option(
    "--fate",
    "--status",
    "fates",
    multiple=True,
    type=click.Choice([fate.value for fate in RETRYABLE]),
    help="Try URLs with this fate again; may be repeated  [default: "
    + ", ".join(fate.value for fate in TEMPORARY)
    + "].",
)
@click.option(
    "--source",
    "sources",
    metavar="NAME",
    multiple=True,
    help="Only what this source listed; may be repeated.",
)
@click.option(
    "--host",
    "hosts",
    metavar="HOST",
    multiple=True,
    help="Only URLs of this host, and no listings; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@shared_options
@pass_invocation
@example("icf-harvest retry --fate not_found")
def retry_command(
    invocation: Invocation,
    fates: tuple[str, ...],
    sources: tuple[str, ...],
    hosts: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Make failed URLs and listings pending; the next run tries them again.

    Without --fate these are the failures that may be temporary. With --fate stored,
    stored pictures are requested again; changed bytes become a new image next to the
    old one. --status is another name for --fate.
    """
    if sources:
        declared_sources(invocation.workspace, sources)
    chosen = tuple(FetchStatus[fate.upper()] for fate in fates) or TEMPORARY
    selection = Selection(chosen, sources, hosts)
    catalogue = invocation.workspace.catalogue
    if dry_run:
        with catalogue.read() as connection:
            by_fate = count_again(connection, selection)
            listings = count_failed_listings(connection, selection)
    else:
        with catalogue.write() as connection:
            by_fate = count_again(connection, selection)
            make_pending(connection, selection)
            listings = list_again(connection, selection)
    urls = sum(by_fate.values())
    would = "would be" if dry_run else "are"
    text = f"{urls} URLs and {listings} listings {would} pending again"
    invocation.emit(
        {"urls": urls, "listings": listings, "fates": by_fate}, lambda: text
    )
    if by_fate and not invocation.json:
        rows = [
            (fate, n, FetchStatus[fate.upper()].meaning) for fate, n in by_fate.items()
        ]
        invocation.say(table(("was", "URLs", ""), rows))
    if urls or listings:
        invocation.say("`icf-harvest run` tries them again")
    if not fates:
        _say_what_is_left(invocation, selection)


def _say_what_is_left(invocation: Invocation, selection: Selection) -> None:
    """Name the failures that do not pass by themselves, and how to try them again."""
    lasting = tuple(
        fate for fate in RETRYABLE if fate in REMEDIES and fate not in TEMPORARY
    )
    with invocation.workspace.catalogue.read() as connection:
        left = count_again(connection, replace(selection, fates=lasting))
    if left:
        each = ", ".join(f"{count} {fate}" for fate, count in left.items())
        invocation.say(
            f"not tried again: {each}. They do not pass by themselves; `icf-harvest "
            "status` says what to do, then name one with --fate"
        )
