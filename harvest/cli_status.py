"""`icf-harvest status`: what became of every URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import click
from rich.console import Group
from rich.filesize import decimal

from icf.codes import Fate
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.harvest.status import count_images, count_urls, troubled_listings, urls_of

_SHOWN = 20


@click.command("status")
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


def _drawn(urls: Mapping[str, int], images: int, size: int) -> Group:
    rows = [(fate, count, _meaning(fate)) for fate, count in urls.items()]
    return Group(
        table(("URLs", "count", ""), rows), f"\n{images} images, {decimal(size)}"
    )


def _meaning(fate: str) -> str:
    return "" if fate == "total" else Fate[fate.upper()].meaning
