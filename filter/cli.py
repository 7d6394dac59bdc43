"""`icf-filter`: from images to faces that are worth asking people about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import click
from rich.table import Table

from icf import command
from icf.codes import Code, FaceReason, ImageReason
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import engine
from icf.engine.runner import Tally
from icf.filter.run import complain_of_failures, pending, run_steps
from icf.filter.status import Counts, count_faces, count_images

#: The steps, in order, and what each does.
STEPS = {
    "detect": "Find the faces in images, and measure them.",
    "size": "Drop faces of too few pixels.",
    "kind": "Drop photographed human faces.",
    "sharpness": "Drop blurred faces.",
    "duplicates": "Drop duplicates of better faces of the same character.",
    "embed": "Compute the embeddings of faces.",
    "reference": "Choose the reference face of characters that have none.",
    "identity": "Drop faces that are not the character they were found under.",
}

cli = command.group("icf-filter", "Filter images down to faces worth asking about.")


def main() -> None:
    """Run `icf-filter`."""
    command.run(cli)


_ENGINE_OPTIONS = (
    click.option(
        "--engine",
        "engine_name",
        type=click.Choice(engine.NAMES),
        default="local",
        show_default=True,
        help="Where steps run.",
    ),
    click.option(
        "--ray-address",
        metavar="HOST:PORT",
        help="A running Ray cluster  [default: start one here].",
    ),
    click.option("--dry-run", is_flag=True, help="Only count what is pending."),
)


def _engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_ENGINE_OPTIONS):
        function = option(function)
    return function


@cli.command("run")
@click.option(
    "--step",
    "names",
    multiple=True,
    type=click.Choice(tuple(STEPS)),
    help="Run this step only; may be repeated  [default: all].",
)
@_engine_options
@shared_options
@pass_invocation
@example("icf-filter run")
def run_command(
    invocation: Invocation,
    names: tuple[str, ...],
    engine_name: str,
    ray_address: str | None,
    dry_run: bool,
) -> None:
    """Run all steps over everything that waits for them.

    Stopped in any way and started again, it goes on where it was. It ends with how many
    passed each step and how many were dropped, by reason. For one of them, see `icf
    why`.
    """
    _filter(invocation, names, engine_name, ray_address, dry_run)


def _add_step_command(name: str) -> None:
    def step_command(
        invocation: Invocation,
        engine_name: str,
        ray_address: str | None,
        dry_run: bool,
    ) -> None:
        _filter(invocation, (name,), engine_name, ray_address, dry_run)

    step_command.__doc__ = f"{STEPS[name]}\n\nRuns this step alone."
    shown = example(f"icf-filter {name}")(step_command)
    options = _engine_options(shared_options(pass_invocation(shown)))
    cli.command(name)(options)


for _name in STEPS:
    _add_step_command(_name)


@cli.command("status")
@shared_options
@pass_invocation
@example("icf-filter status --json")
def status_command(invocation: Invocation) -> None:
    """Count the images and faces that are in, out or pending, and why."""
    with invocation.workspace.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
    result = {
        "faces": faces.total,
        "kept": faces.kept,
        "pending": faces.pending,
        "dropped": faces.dropped,
        "images": {
            "total": images.total,
            "kept": images.kept,
            "pending": images.pending,
            "dropped": images.dropped,
        },
    }
    invocation.emit(result, lambda: _status_table(images, faces))


def _filter(
    invocation: Invocation,
    names: Sequence[str],
    engine_name: str,
    ray_address: str | None,
    dry_run: bool,
) -> None:
    workspace = invocation.workspace
    if dry_run:
        waiting = pending(workspace, names)
        rows = list(waiting.items())
        invocation.emit(
            {"pending": waiting}, lambda: command.table(("step", "pending"), rows)
        )
        return
    workers = workspace.settings.filter.workers
    with closing(engine.open_engine(engine_name, workers, ray_address)) as opened:
        tallies = run_steps(workspace, names, opened, invocation.progress)
    result = {t.step: {"passed": t.passed, "dropped": t.dropped} for t in tallies}
    invocation.emit({"steps": result}, lambda: _tally_table(tallies))
    complain_of_failures(workspace, tallies)


def _tally_table(tallies: Sequence[Tally]) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    for tally in tallies:
        meaning = _meanings(ImageReason if tally.step == "detect" else FaceReason)
        rows.append((tally.step, "passed", f"{tally.passed:,}", ""))
        for reason, number in tally.dropped.most_common():
            rows.append(("", reason, f"{number:,}", meaning[reason]))
    return _drawn(("step", "", "count", "meaning"), rows)


def _status_table(images: Counts, faces: Counts) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    for name, counts, code in (
        ("images", images, ImageReason),
        ("faces", faces, FaceReason),
    ):
        meaning = _meanings(code)
        rows.append((name, "total", f"{counts.total:,}", ""))
        rows.append(("", "pending", f"{counts.pending:,}", ""))
        rows.append(("", "kept", f"{counts.kept:,}", ""))
        for reason, number in counts.dropped.items():
            rows.append(("", reason, f"{number:,}", meaning[reason]))
    return _drawn(("", "", "count", "meaning"), rows)


def _drawn(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    drawn = command.table(columns, rows)
    drawn.columns[columns.index("count")].justify = "right"
    return drawn


def _meanings(code: type[Code]) -> Mapping[str, str]:
    return {member.value: member.meaning for member in code}
