"""`icf-harvest`: from albums to characters to images."""

from __future__ import annotations

from icf import command
from icf.harvest.cli.levels import albums_command, characters_command, images_command
from icf.harvest.cli.licences import licences_command
from icf.harvest.cli.reference import reference_command
from icf.harvest.cli.retry import retry_command
from icf.harvest.cli.run import run_command
from icf.harvest.cli.status import status_command

cli = command.group("icf-harvest", "Harvest albums, characters and their images.")

cli.add_command(run_command)
cli.add_command(albums_command)
cli.add_command(characters_command)
cli.add_command(images_command)
cli.add_command(status_command)
cli.add_command(retry_command)
cli.add_command(licences_command)
cli.add_command(reference_command)


def main() -> None:
    """Run `icf-harvest`."""
    command.run(cli)
