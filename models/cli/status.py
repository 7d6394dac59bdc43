"""`icf-train status`: how far trainings are."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.models.cli.art import cached
from icf.models.training.run_files import CHECKPOINT, RUN, read_head, read_run

#: Models whose training resumes from a checkpoint.
LONG = ("detector", "embedder")


@click.command("status")
@click.argument("folders", nargs=-1, metavar="[DIR]...", type=GivenPath())
@shared_options
@pass_invocation
@example("icf-train status --json")
def status(invocation: Invocation, folders: tuple[Path, ...]) -> None:
    """Show the progress of training runs: of the folders named, or the bundled models'.

    With --json: {DIR: {"step", "steps", "seed"} or null}; without DIR by the names
    "detector" and "embedder".
    """
    places = {str(each): each for each in folders} or {n: cached(n) for n in LONG}
    found = {name: run_in(place) for name, place in places.items()}
    invocation.emit(
        found,
        lambda: "\n".join(
            f"{name}: {run['step']:,} of {run['steps']:,} steps, seed {run['seed']}"
            if run
            else f"{name}: no run"
            for name, run in found.items()
        ),
    )


def run_in(folder: Path) -> dict[str, int] | None:
    """Return ``step``, ``steps`` and ``seed`` of the run in a folder; None: none.

    Of a run in several turns they are of the turn that it is at.
    """
    if turns := sorted(folder.glob("turn-*"), key=lambda each: int(each.name[5:])):
        folder = turns[-1]
    finished = folder / RUN
    if finished.is_file():
        run = read_run(finished)
        seed = run["identity"]["config"]["loop"]["seed"]
        return {"step": run["steps"], "steps": run["steps"], "seed": seed}
    checkpoint = folder / CHECKPOINT
    if not checkpoint.exists():
        return None
    head = read_head(checkpoint)
    seed = head.identity["config"]["loop"]["seed"]
    return {"step": head.step, "steps": head.steps, "seed": seed}
