"""`icf-filter status`: what is in, out or pending, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Group
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import plugins
from icf.engine.step import Step
from icf.errors import WrongUse
from icf.filter.chain import filter_chain, own_steps
from icf.filter.cli.reasons import REASONS
from icf.filter.status import (
    Counts,
    StepCounts,
    count_faces,
    count_images,
    count_steps,
    count_stranded,
)
from icf.workspace import Workspace


@click.command("status")
@shared_options
@pass_invocation
@example("icf-filter status --json")
def status_command(invocation: Invocation) -> None:
    """Count the images and faces that are in, out or pending, and why.

    For each step: how many came to it, passed it, wait for it, and are out by it.
    """
    known = _steps(invocation.workspace)
    with invocation.workspace.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
        steps = count_steps(connection, known)
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
        "steps": {
            each.step: {
                "reached": each.reached,
                "passed": each.passed,
                "waiting": each.waiting,
                "dropped": each.dropped,
            }
            for each in steps
        },
        "not_installed": stranded,
    }
    invocation.emit(
        result, lambda: Group(_totals(images, faces), "", _steps_table(steps))
    )
    say_stranded(invocation, stranded)


def _steps(workspace: Workspace) -> Sequence[Step[Any]]:
    """All steps; the program's own where one from outside cannot be loaded."""
    try:
        return filter_chain(workspace).steps
    except WrongUse:
        return own_steps(workspace)


def stranded_rows(workspace: Workspace) -> dict[str, int]:
    """Count the rows that wait for steps which are not installed any more."""
    known = {step.name for step in own_steps(workspace)} | plugins.names()
    with workspace.catalogue.read() as connection:
        return count_stranded(connection, known)


def say_stranded(invocation: Invocation, stranded: Mapping[str, int]) -> None:
    """Say in a line what waits for a step that is not installed."""
    for step, number in stranded.items():
        invocation.say(
            f"{number:,} rows wait for the step {step!r}, which is not installed; "
            "install the package that brings it, and they go on"
        )


def _totals(images: Counts, faces: Counts) -> Table:
    columns = ("", "total", "kept", "pending", "out")
    rows = [
        (name, each.total, each.kept, each.pending, sum(each.dropped.values()))
        for name, each in (("images", images), ("faces", faces))
    ]
    return command.table(columns, rows)


def _steps_table(steps: Sequence[StepCounts]) -> Table:
    """A line for each step, and one below it for each reason."""
    rows: list[tuple[str, ...]] = []
    for each in steps:
        numbers = each.reached, each.passed, each.waiting, sum(each.dropped.values())
        rows.append((each.step, *(f"{number:,}" for number in numbers), ""))
        codes, others = REASONS[each.subject], plugins.meanings(each.subject)
        for reason, number in each.dropped.items():
            words = f"{reason}: {meaning_of(codes, reason, others)}"
            rows.append(("", "", "", "", f"{number:,}", words))
    columns = ("step", "reached", "passed", "waiting", "out", "because")
    drawn = command.table(columns, rows)
    for column in drawn.columns[1:5]:
        column.justify = "right"
    return drawn
