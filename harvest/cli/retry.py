"""`icf-harvest retry`: let what failed be asked for again."""

from __future__ import annotations

import click

from icf.codes import FetchStatus
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.harvest.fates import RETRYABLE, TEMPORARY
from icf.harvest.report.retry import (
    Which,
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
    help="Ask URLs with this fate again; may be repeated  [default: "
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
    """Make failed URLs and listings pending; the next run asks them again.

    Without --fate these are the failures that another day may change. With --fate
    stored, pictures are asked for again too; changed bytes become a new image beside
    the old one. --status is another name of --fate.
    """
    if sources:
        declared_sources(invocation.workspace, sources)
    chosen = tuple(FetchStatus[fate.upper()] for fate in fates) or TEMPORARY
    which = Which(chosen, sources, hosts)
    catalogue = invocation.workspace.catalogue
    if dry_run:
        with catalogue.read() as connection:
            by_fate = count_again(connection, which)
            listings = count_failed_listings(connection, which)
    else:
        with catalogue.write() as connection:
            by_fate = count_again(connection, which)
            make_pending(connection, which)
            listings = list_again(connection, which)
    urls = sum(by_fate.values())
    would = "would be" if dry_run else "are"
    told = f"{urls} URLs and {listings} listings {would} pending again"
    invocation.emit(
        {"urls": urls, "listings": listings, "fates": by_fate}, lambda: told
    )
    if by_fate and not invocation.json:
        rows = [
            (fate, n, FetchStatus[fate.upper()].meaning) for fate, n in by_fate.items()
        ]
        invocation.say(table(("was", "URLs", ""), rows))
    if urls or listings:
        invocation.say("`icf-harvest run` asks for them")
