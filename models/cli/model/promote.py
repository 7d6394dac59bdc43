"""`icf model promote`: use a model from now on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.models.cards import ModelCard
from icf.models.cli.model.listed import as_typed, task_option
from icf.models.gate.licences import licence_warnings
from icf.models.registry.resolve import find_any
from icf.models.registry.tasks import Task

#: What a new champion changes, and what does it.
NEXT = {
    "embedder": (
        "`icf-filter run` embeds all faces again and decides again; then "
        "`icf-filter calibrate` fits its probabilities to the answers"
    ),
    "detector": (
        "`icf-filter run` finds the faces of new pictures with it; pictures that were "
        "searched before keep their faces"
    ),
}


@click.command("promote")
@click.argument("name")
@task_option
@click.option(
    "--force",
    metavar="REASON",
    help="Promote it although the gate refuses it; the reason is logged.",
)
@click.option("--by", metavar="WHO", help="Who promotes it  [default: user@host].")
@click.option("--dry-run", is_flag=True, help="Only compare it; change nothing.")
@shared_options
@pass_invocation
@example("icf model promote embedder --dry-run")
def promote_command(
    invocation: Invocation,
    name: str,
    task: Task | None,
    force: str | None,
    by: str | None,
    dry_run: bool,
) -> None:
    """Make a model the champion, which the filter uses, if it passes the gate.

    NAME is a name, an alias, a hash or a path; a file outside of the workspace is
    copied into it. The gate compares the model with the champion on the audit set and
    refuses one that may be worse, with the reason. Licences that forbid commercial use
    are said. With --json: {"task", "model", "promoted", "gate", "warnings"}.
    """
    workspace = invocation.workspace
    task, path = find_any(workspace, as_typed(name), task)
    if force is not None and not force.strip():
        raise WrongUse("--force needs the reason why: it is logged")
    if dry_run:
        _compare(invocation, task, path)
        return
    # Networks and statistics are imported where something is compared.
    from icf.models.gate.promote import promote

    with invocation.progress("comparing", None) as advance:
        done = promote(workspace, task, path, by, force, advance=advance)
    warnings = licence_warnings(done.card)
    result = {
        "task": task,
        "model": done.card.sha256,
        "promoted": True,
        "gate": {"id": done.gate.id, **asdict(done.gate.report)},
        "warnings": warnings,
    }
    invocation.emit(result, lambda: _promoted(task, done.card))
    invocation.say(done.gate.report.text())
    for each in warnings:
        invocation.say(f"warning: {each}")
    chosen = getattr(workspace.settings.filter, task)
    if chosen != "champion":
        invocation.say(
            f"warning: filter.{task} is {chosen!r}, so the filter does not use the "
            "champion"
        )
    invocation.say(f"next: {NEXT[task]}")


def _compare(invocation: Invocation, task: Task, path: Path) -> None:
    from icf.models.cards import load_card, weights_path
    from icf.models.gate.run import compare
    from icf.models.registry.resolve import find

    workspace = invocation.workspace
    champion = find(workspace, "champion", task)
    with invocation.progress("comparing", None) as advance:
        report = compare(workspace, task, champion, path, advance)
    card = load_card(weights_path(path).with_suffix(".json"))
    result = {
        "task": task,
        "model": report.challenger,
        "promoted": False,
        "gate": asdict(report),
        "warnings": licence_warnings(card),
    }
    invocation.emit(result, report.text)


def _promoted(task: Task, card: ModelCard) -> str:
    return f"{card.name} ({card.sha256[:12]}) is the champion {task} now"
