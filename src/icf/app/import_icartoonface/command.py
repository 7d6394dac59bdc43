"""`icf import icartoonface`: bring the published data set into a workspace."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import click

from icf.app.import_icartoonface.listed import PUBLISHER, Lists, TestLabels
from icf.app.import_icartoonface.release import Release
from icf.app.import_icartoonface.release_tables import SUMMARY, other_settings
from icf.app.importing import options
from icf.app.importing.command import bring, show
from icf.app.importing.given import Source
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
)
from icf.dataset.cli.revoked import say_if_revoked

log = logging.getLogger(__name__)

_OTHERS = (
    "%s was made with other settings than this workspace has; put them into icf.toml "
    "before `icf-filter run`, or faces of it may be dropped:\n  %s"
)


@click.command("icartoonface")
@click.argument(
    "folder",
    metavar="DIR",
    type=GivenPath(exists=True, file_okay=False),
)
@click.option(
    "--test-labels",
    type=click.Choice(get_args(TestLabels)),
    default="own",
    show_default=True,
    help="What the numbers of the recognition test are: identities of their own, or "
    "the numbers of training folders, as in a release of icf-build-splits.",
)
@options.licence(
    "Licence of the pictures, as its publisher states it; a release says itself."
)
@options.dry_run
@shared_options
@pass_invocation
@example("icf import icartoonface published --dry-run")
def icartoonface(
    invocation: Invocation,
    folder: Path,
    test_labels: str,
    licence: str,
    dry_run: bool,
) -> None:
    """Bring the published iCartoonFace, or a release, in DIR into this workspace.

    DIR has the lists and the folders of pictures, in whichever folders the archives
    were unpacked: the recognition set, the detection set, the training part or the test
    part of either. Boxes are taken as published, identities as confirmed labels, and
    each picture remembers its part: the pictures of a test are never trained on by
    `--data workspace` of `icf-train`. Run `icf-filter run` next.

    A release of icf-build-splits is recognised by its release.json, and everything is
    taken from its tables: names, exact corners, sources and licences, verified boxes,
    what the detector found. `icf-build-splits --after DIR` then builds it again.

    If the command is interrupted, run it again to continue; a second run changes
    nothing. Lines and pictures that are damaged or missing are reported, and the
    others imported.
    """
    source: Source
    say_if_revoked(invocation, folder)
    if (folder / SUMMARY).exists():
        refuse_options("a release says this itself", "test_labels", "licence")
        release = Release(folder)
        source, publisher = release, release.publisher
        others = other_settings(release.summary, invocation.workspace.settings)
        if others:
            log.warning(_OTHERS, folder, "\n  ".join(others))
    else:
        source = Lists(folder, cast(TestLabels, test_labels))
        publisher = replace(PUBLISHER, licence=licence)
    done = bring(invocation, source, publisher, dry_run=dry_run)
    show(invocation, folder.name, done, dry_run=dry_run)
