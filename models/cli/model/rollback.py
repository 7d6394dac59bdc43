"""`icf model rollback`: go back to the model before."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cards import load_card, weights_path
from icf.models.cli.model.promote import NEXT
from icf.models.registry import aliases
from icf.models.registry.resolve import find
from icf.models.registry.tasks import TASKS, Task


@click.command("rollback")
@click.argument("task", type=click.Choice(TASKS))
@click.option(
    "--reason",
    default="rolled back",
    show_default=True,
    metavar="TEXT",
    help="Why; it is logged.",
)
@click.option("--by", metavar="WHO", help="Who goes back  [default: user@host].")
@shared_options
@pass_invocation
@example("icf model rollback detector")
def rollback_command(
    invocation: Invocation, task: Task, reason: str, by: str | None
) -> None:
    """Make the previous detector or embedder the champion again.

    It goes back once: to go further, promote a model by its name. With --json: {"task",
    "model"}.
    """
    workspace = invocation.workspace
    with workspace.catalogue.write() as connection:
        aliases.roll_back(connection, task, by or aliases.this_user(), reason)
    path = weights_path(find(workspace, "champion", task))
    card = load_card(path.with_suffix(".json"))
    invocation.emit(
        {"task": task, "model": card.sha256},
        lambda: f"{card.name} ({card.sha256[:12]}) is the champion {task} again",
    )
    invocation.say(f"next: {NEXT[task]}")
