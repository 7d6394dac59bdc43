"""`icf-harvest retry`: let what failed be asked for again."""

from __future__ import annotations

import click

from icf.codes import Fate
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.harvest.status import (
    ASKABLE,
    PASSING,
    count_failed_listings,
    count_fates,
    list_again,
    make_pending,
)


@click.command("retry")
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
