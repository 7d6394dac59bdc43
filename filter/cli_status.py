"""`icf-filter status`: what is in, out or pending, and why."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import outside
from icf.engine.step import Subject
from icf.filter.chain import own_steps
from icf.filter.reasons import REASONS
from icf.filter.status import Counts, count_faces, count_images, count_stranded
from icf.workspace import Workspace


@click.command("status")
@shared_options
@pass_invocation
@example("icf-filter status --json")
def status_command(invocation: Invocation) -> None:
    """Count the images and faces that are in, out or pending, and why."""
    with invocation.workspace.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
    stranded = stranded_rows(invocation.workspace)
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
        "not_installed": stranded,
    }
    invocation.emit(result, lambda: _status_table(images, faces))
    say_stranded(invocation, stranded)


def stranded_rows(workspace: Workspace) -> dict[str, int]:
    """Count the rows that wait for steps which are not installed any more."""
    known = {step.name for step in own_steps(workspace)} | outside.names()
    with workspace.catalogue.read() as connection:
        return count_stranded(connection, known)


def say_stranded(invocation: Invocation, stranded: Mapping[str, int]) -> None:
    """Say in a line what waits for a step that is not installed."""
    for step, number in stranded.items():
        invocation.say(
            f"{number:,} rows wait for the step {step!r}, which is not installed; "
            "install the package that brings it, and they go on"
        )


def _status_table(images: Counts, faces: Counts) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    shown: tuple[tuple[str, Counts, Subject], ...] = (
        ("images", images, "image"),
        ("faces", faces, "face"),
    )
    for name, counts, subject in shown:
        codes, others = REASONS[subject], outside.meanings(subject)
        rows.append((name, "total", f"{counts.total:,}", ""))
        rows.append(("", "pending", f"{counts.pending:,}", ""))
        rows.append(("", "kept", f"{counts.kept:,}", ""))
        for reason, number in counts.dropped.items():
            rows.append(("", reason, f"{number:,}", meaning_of(codes, reason, others)))
    return command.counts_table(("", "", "count", "meaning"), rows)
