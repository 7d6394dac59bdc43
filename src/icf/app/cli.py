"""The `icf` command: the roof over the stages."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import click

from icf import __version__, command


@dataclass(frozen=True)
class Subcommand:
    """Where a subcommand lives, as ``module:attribute``, and what it does in a line."""

    where: str
    summary: str


#: Subcommands are imported when they are asked for, so that neither `icf --help` nor
#: `icf status` waits for libraries that only training needs.
COMMANDS = {
    "init": Subcommand("icf.app.init:init", "Make a workspace."),
    "demo": Subcommand(
        "icf.app.demo.command:demo", "Build a small data set to look at."
    ),
    "harvest": Subcommand(
        "icf.harvest.cli.main:cli", "Harvest albums, characters and their images."
    ),
    "filter": Subcommand(
        "icf.filter.cli.main:cli", "Filter images down to faces worth asking about."
    ),
    "annotate": Subcommand(
        "icf.annotate.cli:cli", "Ask people questions, and take in their answers."
    ),
    "build-splits": Subcommand(
        "icf.dataset.cli.build_splits:cli",
        "Write a release in iCartoonFace's formats or others.",
    ),
    "evaluate": Subcommand(
        "icf.dataset.cli.evaluate:cli", "Score a recogniser or a detector."
    ),
    "report": Subcommand(
        "icf.dataset.cli.report:cli", "Write one HTML file that shows the data set."
    ),
    "train": Subcommand("icf.models.cli:cli", "Train the detector and the embedder."),
    "detect": Subcommand("icf.app.detect:detect", "Find the faces in any pictures."),
    "embed": Subcommand("icf.app.embed:embed", "Embed the faces of a list."),
    "status": Subcommand("icf.app.status:status", "Count what the workspace holds."),
    "why": Subcommand("icf.app.why:why", "Say why something is in or out."),
    "takedown": Subcommand(
        "icf.app.takedown.command:takedown",
        "Withdraw a picture or a character for good.",
    ),
    "config": Subcommand("icf.app.config:config", "Look at the settings."),
    "doctor": Subcommand(
        "icf.app.doctor:doctor", "Check this machine and the workspace."
    ),
}


class Roof(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every subcommand, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import one subcommand."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].where.partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(
        self, context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, each.summary) for name, each in COMMANDS.items()]
            )


@click.command("icf", cls=Roof, context_settings={"max_content_width": 88})
@click.version_option(__version__, prog_name="icf")
@command.shared_options
def cli() -> None:
    """Build cartoon-face datasets: harvest, filter, annotate, split, report."""


def main() -> None:
    """Run `icf`."""
    command.run(cli)


if __name__ == "__main__":
    main()
