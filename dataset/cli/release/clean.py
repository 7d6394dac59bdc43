"""`icf release clean`: delete what was withdrawn from a copy of a release."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse

if TYPE_CHECKING:
    from icf.dataset.takedowns.clean import Cleaned


@click.command("clean")
@click.argument(
    "folder",
    metavar="DIR",
    type=GivenPath(file_okay=False, exists=True),
)
@click.option(
    "--list",
    "listed",
    metavar="FILE",
    required=True,
    type=GivenPath(dir_okay=False, exists=True),
    help="The list that the makers of the release wrote by `icf release takedowns`.",
)
@click.option(
    "--key",
    metavar="KEY",
    help="Their public key, or a file with it  [default: the release's own].",
)
@shared_options
@pass_invocation
@example(
    "icf release clean releases/first --list takedowns.json --key takedowns.json.pub"
)
def cli(invocation: Invocation, folder: Path, listed: Path, key: str | None) -> None:
    """Delete what its makers withdrew from DIR, a copy of their release.

    The list's signature is checked first. Pictures that are files of their own are
    deleted; shards, Parquet files, every list, table, card and hash of the release are
    written again without them, so that `icf release verify` finds it whole. What was
    killed is completed by the same command. It needs no workspace.
    """
    from icf.dataset.release.files import PUBLIC_KEY
    from icf.dataset.release.keys import read_public
    from icf.dataset.takedowns.clean import clean
    from icf.dataset.takedowns.signed import read_list

    if key is None and not (folder / PUBLIC_KEY).is_file():
        raise WrongUse(
            f"{folder} has no public key of its makers; give the one that they "
            "published: --key KEY"
        )
    trusted = read_public(key if key is not None else str(folder / PUBLIC_KEY))
    done = clean(folder, read_list(listed, trusted))
    if done.completed:
        invocation.say("a cleaning that was cut short was completed")
    invocation.emit(
        {"path": str(folder), **asdict(done)},
        lambda: _told(folder, done),
    )


def _told(folder: Path, done: Cleaned) -> str:
    if not done.rows and not done.unused:
        return f"{folder} has nothing of what was withdrawn"
    again = ", others written again" if done.rewritten else ""
    unused = f"; {done.unused:,} rows of unused.csv deleted" if done.unused else ""
    return (
        f"{folder}: {done.pictures:,} pictures withdrawn, {done.rows:,} rows and "
        f"{len(done.files):,} files deleted{again}{unused}"
    )
