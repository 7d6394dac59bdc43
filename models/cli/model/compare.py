"""`icf model compare`: two models on the audit set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.models.cli.model.listed import as_typed, task_option
from icf.models.registry.resolve import find_any, find_there
from icf.models.registry.tasks import Task
from icf.workspace import Workspace


@click.command("compare")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@task_option
@shared_options
@pass_invocation
@example("icf model compare bundled champion --task embedder --json")
def compare_command(
    invocation: Invocation, one: str, other: str, task: Task | None
) -> None:
    """Compare model B with model A, as the gate compares it with the champion.

    A and B are names, aliases, hashes or paths. Nothing is changed. With --json: the
    report: {"promoted", "difference", "interval", "margin", "smallest_visible",
    "floors", "reasons", "figures", ...}, the difference being B less A; "promoted" says
    whether B could take the place of A.
    """
    workspace = invocation.workspace
    task, first, second = _both(workspace, one, other, task)
    # Networks and statistics are imported where something is compared.
    from icf.models.gate.run import compare

    with invocation.progress("comparing", None) as advance:
        report = compare(workspace, task, first, second, advance)
    invocation.emit(asdict(report), report.text)


def _both(
    workspace: Workspace, one: str, other: str, task: Task | None
) -> tuple[Task, Path, Path]:
    """Find both models; where one of them says no task, it is that of the other."""
    one, other = as_typed(one), as_typed(other)
    if task is None:
        try:
            task = find_any(workspace, other)[0]
        except WrongUse:
            task = find_any(workspace, one)[0]
    return task, find_there(workspace, one, task), find_there(workspace, other, task)
