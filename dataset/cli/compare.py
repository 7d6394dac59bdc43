"""`icf-report compare`: what differs between two releases, or two workspaces."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.revoked import say_if_revoked
from icf.stores.files import check_place_of_file

_FOLDER = GivenPath(exists=True, file_okay=False)


@click.command("compare")
@click.argument("first", metavar="A", type=_FOLDER)
@click.argument("second", metavar="B", type=_FOLDER)
@click.argument("out", metavar="OUT.html", type=GivenPath(dir_okay=False))
@shared_options
@pass_invocation
@example("icf-report compare releases/demo releases/first reports/compared.html")
def compare_command(
    invocation: Invocation, first: Path, second: Path, out: Path
) -> None:
    """Write one HTML file that shows what differs between two releases.

    It has counts, distributions, faces that moved between parts, settings, models, and
    scores, with paired intervals. Releases are read by their files alone. A and B may
    be two workspaces, too.
    """
    # Imported here, so that help does not wait for numpy and the drawing libraries.
    from icf.dataset.report.compare.page import compare

    check_place_of_file(out)
    for each in (first, second):
        say_if_revoked(invocation, each)
    found = compare(first, second, out)
    invocation.emit(found, lambda: f"{out}: {found['bytes'] / 1000:,.0f} kB")
