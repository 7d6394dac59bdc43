"""`icf import folder`: bring pictures in folders of characters into a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from icf.app.import_folder.source import (
    ALBUM_FIELDS,
    IDENTITY_FIELDS,
    Faces,
    FolderSource,
    Reading,
)
from icf.app.importing import options
from icf.app.importing.command import bring, show
from icf.app.importing.given import Publisher
from icf.app.importing.held_out import HeldOut
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.revoked import say_if_revoked

_COMMAND = "import folder"


@click.command("folder")
@click.argument(
    "folder",
    metavar="DIR",
    type=GivenPath(exists=True, file_okay=False),
)
@options.name
@click.option(
    "--faces",
    type=click.Choice(get_args(Faces)),
    default="whole",
    show_default=True,
    help="Where the face of a picture without a box is. whole: the picture is a crop "
    "of it. detect: the detector finds it; it is the character's if it is alone.",
)
@options.identity("Field of metadata.jsonl that names the character", IDENTITY_FIELDS)
@options.album("Field that names the album", ALBUM_FIELDS)
@options.held_out("folders")
@options.licence("Licence of the pictures of which no metadata says one.")
@options.dry_run
@shared_options
@pass_invocation
@example("icf import folder albums --dry-run")
def folder(
    invocation: Invocation,
    folder: Path,
    name: str | None,
    faces: str,
    identity: str | None,
    album: str | None,
    held_out: str,
    licence: str,
    dry_run: bool,
) -> None:
    """Bring the pictures in DIR, in folders of characters, into this workspace.

    DIR has ALBUM/CHARACTER/PICTURE, or CHARACTER/PICTURE, perhaps below folders that
    are called train and test or val. Where a folder has metadata.jsonl or metadata.csv,
    as Hugging Face's datasets write it, its rows count: file_name, character, album,
    bbox or objects.bbox. The labels are confirmed by an annotator called as the data
    set. Run `icf-filter run` next.

    Pictures in which somebody has to be found among others are better harvested: see
    the source folder of icf-harvest.

    If the command is interrupted, run it again to continue; a second run changes
    nothing. Every picture is imported, known, withdrawn or refused: --json has how
    many, and why.
    """
    say_if_revoked(invocation, folder)
    called = name or folder.resolve().name
    reading = Reading(
        called,
        cast(Faces, faces),
        (identity,) if identity else IDENTITY_FIELDS,
        (album,) if album else ALBUM_FIELDS,
        cast(HeldOut, held_out),
    )
    publisher = Publisher(called, _COMMAND, "folder", f"{called}, not named", licence)
    source = FolderSource(folder, reading)
    done = bring(invocation, source, publisher, dry_run=dry_run)
    show(invocation, called, done, dry_run=dry_run)
