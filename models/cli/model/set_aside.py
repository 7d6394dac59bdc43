"""`icf model set-aside`: keep pictures for comparing detectors."""

from __future__ import annotations

import click

from icf.catalogue.rounds.audit_set import set_verified_aside
from icf.command import Invocation, example, pass_invocation, shared_options


@click.command("set-aside")
@click.option(
    "--share",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.2,
    show_default=True,
    help="Of the pictures whose boxes people verified.",
)
@shared_options
@pass_invocation
@example("icf model set-aside --share 0.2")
def set_aside_command(invocation: Invocation, share: float) -> None:
    """Set pictures aside to compare detectors on: no training sees them.

    They are drawn from those whose boxes people verified. A round sets its own aside,
    with characters; this is for who has boxes alone, or wants more of them. Give it
    before you train, and again when more is verified: the same share of what is new is
    added. Nothing is ever moved back. With --json: {"pictures", "added"}.
    """
    workspace = invocation.workspace
    seed = workspace.settings.round.seed
    with workspace.catalogue.write() as connection:
        made = set_verified_aside(connection, share, seed)
    value = {"pictures": made.images, "added": made.added}
    invocation.emit(
        value,
        lambda: f"pictures set aside: {made.images:,}, of which new: {made.added:,}",
    )
    least = workspace.settings.gate.min_pictures
    if made.images < least:
        invocation.say(
            f"a comparison needs {least}: have more boxes verified, and repeat this"
        )
    if made.added:
        invocation.say(
            "a detector that was trained before may know them: train again before you "
            "compare"
        )
