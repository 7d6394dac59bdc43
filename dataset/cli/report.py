"""`icf-report`: one HTML file that shows the data set; and `compare`."""

from __future__ import annotations

from pathlib import Path

import click

from icf import command
from icf.command import (
    GivenPath,
    Invocation,
    LazyGroup,
    Subcommand,
    example,
    pass_invocation,
    shared_options,
)
from icf.stores.files import check_place_of_file
from icf.version import __version__

_COMMANDS = {
    "compare": Subcommand(
        "icf.dataset.cli.compare:compare_command",
        "Show what differs between two releases, or two workspaces.",
    )
}
#: Options of `shared_options` that take a value.
_WITH_VALUE = ("-C", "--set")


class _Report(LazyGroup):
    """A command with a file's name, and a group where the name is one of a command."""

    _below = command.group("icf-report", "", _COMMANDS)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse as a command, or leave all to the command that is named first."""
        if _first(args) in self.subcommands:
            context.meta[__name__] = True
            return self._below.parse_args(context, args)
        # Options may follow the file's name, as with any command.
        context.allow_interspersed_args, context.allow_extra_args = True, False
        return click.Command.parse_args(self, context, args)

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """The parameters; before the name of a command below, none is given."""
        return super().get_params(context) if context.command is self else []

    def invoke(self, context: click.Context) -> object:
        """Run what was parsed."""
        if __name__ in context.meta:
            return self._below.invoke(context)
        return click.Command.invoke(self, context)


def _first(args: list[str]) -> str | None:
    """The first argument that is no option and no value of one."""
    values = False
    for each in args:
        if not values and not each.startswith("-"):
            return each
        values = each in _WITH_VALUE
    return None


@click.command(
    "icf-report",
    cls=_Report,
    invoke_without_command=True,
    subcommand_metavar="| compare A B OUT.html",
    context_settings={"max_content_width": 88},
)
@click.version_option(__version__, prog_name="icf-report")
@click.argument("out", metavar="OUT.html", type=GivenPath(dir_okay=False))
@click.option(
    "--plots",
    metavar="DIR",
    type=GivenPath(file_okay=False),
    help="Write each plot as SVG and CSV into this folder, too.",
)
@shared_options
@pass_invocation
@example("icf-report reports/report.html --plots reports/plots")
def cli(invocation: Invocation, out: Path, plots: Path | None) -> None:
    """Write one HTML file that shows the data set and how it was made.

    It has the figures and tables of the iCartoonFace paper for this data set, why
    pictures and faces were dropped, samples, licences, models, labels, and the last
    release with its leak report and scores. It needs no other file and no network.
    """
    # Imported here, so that help does not wait for the drawing libraries.
    from icf.dataset.report.page import write_report

    check_place_of_file(out)
    size = write_report(invocation.workspace, out, plots)
    value: dict[str, object] = {"path": str(out), "bytes": size}
    if plots is not None:
        value["plots"] = str(plots)
    invocation.emit(value, lambda: f"{out}: {size / 1000:,.0f} kB")
    invocation.say_if_empty()


assert isinstance(cli, _Report)
cli.subcommands = _COMMANDS


def main() -> None:
    """Run `icf-report`."""
    command.run(cli)
