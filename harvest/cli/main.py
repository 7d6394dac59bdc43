"""`icf-harvest`: from albums to characters to images."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "icf-harvest",
    "Harvest albums, characters and their images.",
    {
        "run": Subcommand(
            "icf.harvest.cli.run:run_command",
            "List what the sources in icf.toml have, and fetch it.",
        ),
        "albums": Subcommand(
            "icf.harvest.cli.levels:albums_command",
            "List the albums of the sources, and nothing below them.",
        ),
        "characters": Subcommand(
            "icf.harvest.cli.levels:characters_command",
            "List the characters of albums.",
        ),
        "images": Subcommand(
            "icf.harvest.cli.levels:images_command",
            "List the images of albums and characters, and fetch them.",
        ),
        "status": Subcommand(
            "icf.harvest.cli.status:status_command",
            "Show the status of every URL, the rates, and what is left.",
        ),
        "retry": Subcommand(
            "icf.harvest.cli.retry:retry_command",
            "Make failed URLs and listings pending again.",
        ),
        "licences": Subcommand(
            "icf.harvest.cli.licences:licences_command",
            "Count URLs and stored pictures by licence.",
        ),
        "reference": Subcommand(
            "icf.harvest.cli.reference:reference_command",
            "Show or set the reference picture of each character.",
        ),
    },
)


def main() -> None:
    """Run `icf-harvest`."""
    command.run(cli)
