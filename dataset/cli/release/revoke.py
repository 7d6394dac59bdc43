"""`icf release revoke`: say that nobody should use a release any more."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options


@click.command("revoke")
@click.argument("folder", metavar="DIR", type=GivenPath(file_okay=False))
@click.option(
    "--reason", metavar="TEXT", required=True, help="Why; others will read it."
)
@shared_options
@pass_invocation
@example("icf release revoke releases/first --reason 'two albums were mixed up'")
def cli(invocation: Invocation, folder: Path, reason: str) -> None:
    """Say that nobody should use the release DIR any more.

    The catalogue records it, and a file REVOKED in the release says it to whoever has
    the folder. Nothing is deleted. Commands that use the release warn. Again with
    another reason, REVOKED keeps both.
    """
    from icf.dataset.release.known import revoke

    done = revoke(invocation.workspace, folder, reason)
    where = "" if done.is_there else "; its folder is not there to be marked"
    invocation.emit(
        {"path": str(done.path), "revoked_because": reason, "marked": done.is_there},
        lambda: f"{done.path} is revoked: {reason}{where}",
    )
