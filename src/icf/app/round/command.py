"""`icf round`: ask people, train on their answers, compare, decide again."""

from __future__ import annotations

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options, table

cli = command.group(
    "round", "Ask people, train on their answers, compare, decide again."
)


@cli.command("run")
@click.option(
    "--go-on",
    is_flag=True,
    help="Go on although questions of the round are not answered.",
)
@shared_options
@pass_invocation
@example("icf round run --set round.train=false")
def run_command(invocation: Invocation, go_on: bool) -> None:
    """Take the open round as far as it goes without people, or begin one.

    A round filters what is pending, asks a batch of questions, and waits for the
    answers. Then it trains the embedder on everything that people confirmed, compares
    the new model with the champion on characters that were set aside, promotes it if it
    is not worse, embeds all faces again, calibrates, decides again, and says what
    changed. If the command is interrupted, run it again to continue. The result is that
    of `icf round status`.
    """
    # The trainer, the models and the statistics are imported where a round is run.
    from icf.app.round.run import Drive, run_round

    drive = Drive(
        invocation.workspace,
        invocation.progress,
        invocation.say,
        invocation.settings,
        invocation.quiet,
        go_on,
    )
    run_round(drive)
    _show(invocation)


@cli.command("status")
@shared_options
@pass_invocation
@example("icf round status --json")
def status_command(invocation: Invocation) -> None:
    """Show where the newest round stands, and what it waits for.

    With --json: {"round", "state", "asked", "answered", "gate": {"promoted",
    "difference", "interval", "margin"}, "questions_saved", ...}; what is not known yet
    is null. The states are in the page about codes.
    """
    _show(invocation)


def _show(invocation: Invocation) -> None:
    from icf.app.round.status import read_status

    workspace = invocation.workspace
    with workspace.catalogue.read() as connection:
        found = read_status(connection, workspace.settings.annotate.enough)
    if found is None:
        none = dict.fromkeys(
            ("round", "state", "asked", "answered", "gate", "questions_saved")
        )
        invocation.emit(none, lambda: "there was no round yet")
        invocation.say("`icf round run` begins the first one")
        return
    invocation.emit(found.as_json(), lambda: table(("", ""), found.rows()))
    invocation.say(found.advice)
