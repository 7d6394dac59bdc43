"""`icf-report`: write one HTML file that shows the data set."""

from __future__ import annotations

from pathlib import Path

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.version import __version__


@click.command("icf-report", context_settings={"max_content_width": 88})
@click.version_option(__version__, prog_name="icf-report")
@click.argument(
    "out", metavar="OUT.html", type=click.Path(path_type=Path, dir_okay=False)
)
@shared_options
@pass_invocation
@example("icf-report reports/report.html")
def cli(invocation: Invocation, out: Path) -> None:
    """Write one HTML file that shows the data set and how it was made.

    It has counts, why pictures and faces were dropped, samples, licences, models,
    labels, and the last release with its leak report and scores. It needs no other
    file and no network.
    """
    # Imported here, so that help does not wait for the drawing libraries.
    from icf.dataset.report.page import write_report

    if not out.parent.is_dir():
        raise WrongUse(f"there is no folder {out.parent} to write {out.name} into")
    size = write_report(invocation.workspace, out)
    invocation.emit(
        {"path": str(out), "bytes": size},
        lambda: f"{out}: {size / 1_000_000:.1f} MB",
    )
    invocation.say_if_empty()


def main() -> None:
    """Run `icf-report`."""
    command.run(cli)
