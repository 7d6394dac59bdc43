"""`icf release relink`: download the pictures of a release that came without them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.dataset.cli.revoked import say_if_revoked
from icf.errors import SomeFailed
from icf.settings import load
from icf.workspace import root_of


@click.command()
@click.argument("release", metavar="DIR", type=GivenPath(file_okay=False))
@click.argument("out", metavar="OUT", type=GivenPath(file_okay=False))
@shared_options
@pass_invocation
@example("icf release relink releases/links releases/linked --json")
def relink(invocation: Invocation, release: Path, out: Path) -> None:
    """Download the pictures of the release DIR, and write it with them into OUT.

    DIR was made by `icf-build-splits --format relink`: it has everything but the
    pictures. Each is asked for at the places where it was found, one after the other,
    as a harvest does (robots.txt, limits, pauses), and taken only if its SHA-256 is
    right. OUT/relinked.csv says of every picture whether it is there, and why not. What
    was stopped goes on when it is started again; what is missing is tried again then.
    """
    # Imported here, so that help does not wait for aiohttp.
    from icf.app.relink.run import relink_release

    say_if_revoked(invocation, release)
    root = root_of(invocation.directory or Path.cwd())
    # Who made the release must not say which addresses are asked.
    own = root is not None and not root.is_relative_to(release.resolve())
    settings = (
        invocation.workspace.settings
        if own
        else load(None, flags=invocation.settings).settings
    )
    with invocation.progress("addresses", None) as advance:
        fates = relink_release(release, out, settings.harvest, advance)
    counts = Counter(each.status.value for each in fates.values())
    missing = sum(counts.values()) - counts["there"]
    invocation.emit(
        {"path": str(out), "pictures": len(fates), "by_status": dict(counts)},
        lambda: table(("pictures", "count"), sorted(counts.items())),
    )
    if missing:
        raise SomeFailed(
            f"{missing} of {len(fates)} pictures are missing; {out}/relinked.csv says "
            "why each is. The same command tries them again"
        )
