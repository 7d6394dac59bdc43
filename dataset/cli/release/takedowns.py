"""`icf release takedowns`: a signed list of what was withdrawn."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options


@click.command("takedowns")
@click.argument("out", metavar="OUT", type=GivenPath(dir_okay=False))
@shared_options
@pass_invocation
@example("icf release takedowns takedowns.json")
def cli(invocation: Invocation, out: Path) -> None:
    """Write a signed list of everything withdrawn from this workspace into OUT.

    It has hashes and nothing else: whoever has a copy of a release can delete the
    pictures by `icf release clean`, and nobody learns what they were. It is signed with
    a key that the workspace keeps; the public half is written into OUT.pub, and into
    each release from then on.
    """
    from icf.dataset.takedowns.signed import write_list

    found, key = write_list(invocation.workspace, out)
    result = {
        "path": str(out),
        "key": key,
        "pictures": found.count,
        "faces": len(found.face_pixel_hash),
    }
    said = f"{found.count:,} pictures, {len(found.face_pixel_hash):,} faces"
    invocation.emit(result, lambda: f"{out}: {said}; the public key is in {out}.pub")
