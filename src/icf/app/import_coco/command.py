"""`icf import coco`: bring a COCO data set into a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from icf.app.import_coco.source import (
    ALBUM_FIELDS,
    CATEGORY,
    IDENTITY_FIELDS,
    SUPERCATEGORY,
    CocoSource,
    Orientation,
    Reading,
)
from icf.app.importing import options
from icf.app.importing.command import bring, show
from icf.app.importing.given import Publisher
from icf.app.importing.held_out import HeldOut
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.revoked import say_if_revoked

_COMMAND = "import coco"


@click.command("coco")
@click.argument("place", metavar="DIR", type=GivenPath(exists=True))
@options.name
@click.option(
    "--images",
    metavar="DIR",
    type=GivenPath(exists=True, file_okay=False),
    help="Folder that the file names are below [default: it is looked for].",
)
@options.identity(
    "Field of an annotation that names its character, such as attributes.id; "
    f"{CATEGORY}: each category is one",
    IDENTITY_FIELDS,
)
@options.album(
    f"Field that names the album; {SUPERCATEGORY}: what the category belongs to",
    ALBUM_FIELDS,
)
@click.option(
    "--drawn",
    metavar="CATEGORY",
    multiple=True,
    help="A category of drawn faces, besides those whose names say it.",
)
@click.option(
    "--human", metavar="CATEGORY", multiple=True, help="One of photographed faces."
)
@click.option(
    "--orientation",
    type=click.Choice(get_args(Orientation)),
    default="auto",
    show_default=True,
    help="Whether boxes are in the upright picture, or before EXIF turned it; auto: "
    "in the one that has the width and height of the file.",
)
@click.option("--some-faces", is_flag=True, help="Not every face has a box.")
@options.held_out("files")
@options.licence("Licence of the pictures of which the file says none.")
@options.dry_run
@shared_options
@pass_invocation
@example("icf import coco coco --dry-run")
def coco(
    invocation: Invocation,
    place: Path,
    name: str | None,
    images: Path | None,
    identity: str | None,
    album: str | None,
    drawn: tuple[str, ...],
    human: tuple[str, ...],
    orientation: str,
    some_faces: bool,
    held_out: str,
    licence: str,
    dry_run: bool,
) -> None:
    """Bring a COCO data set in DIR into this workspace.

    DIR is an annotation file, or a folder with some and with the pictures. Boxes of
    categories that are faces are taken as given, and where annotations name a
    character, it is a confirmed label by an annotator called as the data set. Crowds,
    boxes without area and other categories are counted and left out. Run `icf-filter
    run` next.

    If the command is interrupted, run it again to continue; a second run changes
    nothing. Every picture is imported, known, withdrawn or refused: --json has how
    many, and why.
    """
    say_if_revoked(invocation, place)
    called = name or place.resolve().stem
    reading = Reading(
        called,
        images,
        (identity,) if identity else IDENTITY_FIELDS,
        (album,) if album else ALBUM_FIELDS,
        drawn,
        human,
        cast(HeldOut, held_out),
        not some_faces,
        cast(Orientation, orientation),
    )
    publisher = Publisher(called, _COMMAND, "coco", f"{called}, not named", licence)
    source = CocoSource(place, reading)
    done = bring(invocation, source, publisher, dry_run=dry_run)
    show(invocation, called, done, dry_run=dry_run)
