"""The `icf` command: the roof over the stages."""

from __future__ import annotations

import importlib
from typing import Any

import click

from icf import __version__, command

#: Where each subcommand lives. They are imported when asked for, so that
#: `icf status` does not wait for libraries that only training needs.
COMMANDS = {
    "init": "icf.app.init:init",
    "demo": "icf.app.demo:demo",
    "harvest": "icf.harvest.cli:cli",
    "filter": "icf.filter.cli:cli",
    "annotate": "icf.annotate.cli:cli",
    "build-splits": "icf.dataset.cli:build_splits_cli",
    "evaluate": "icf.dataset.cli:evaluate_cli",
    "report": "icf.dataset.cli:report_cli",
    "train": "icf.models.cli:cli",
    "detect": "icf.app.detect:detect",
    "embed": "icf.app.embed:embed",
    "status": "icf.app.status:status",
    "why": "icf.app.why:why",
    "config": "icf.app.config:config",
    "doctor": "icf.app.doctor:doctor",
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
        module, _, attribute = COMMANDS[name].partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


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
