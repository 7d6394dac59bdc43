"""`icf-filter status`: count kept, dropped and pending rows, by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Group
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import plugins
from icf.engine.stale import find_stale
from icf.engine.step import Step
from icf.errors import BadModel, WrongUse
from icf.filter.chain import filter_chain, own_steps
from icf.filter.cli.reasons import REASONS
from icf.filter.detect_again import other_detector
from icf.filter.stale import OtherEmbedder, find_other_embedder
from icf.filter.status import (
    Counts,
    StepCounts,
    count_faces,
    count_images,
    count_not_installed,
    count_steps,
)
from icf.filter.uncalibrated import uncalibrated
from icf.models.cards import load_card, weights_path
from icf.models.registry.resolve import model_path
from icf.workspace import Workspace


@click.command("status")
@shared_options
@pass_invocation
@example("icf-filter status --json")
def status_command(invocation: Invocation) -> None:
    """Count kept, dropped and pending images and faces, by reason.

    For each step: how many rows reached it, passed it, wait for it, and were dropped.
    """
    known = _steps(invocation.workspace)
    with invocation.workspace.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
        steps = count_steps(connection, known)
        stale = find_stale(connection, invocation.workspace.settings.filter)
    other = other_embedder(invocation.workspace)
    missing = rows_of_missing_steps(invocation.workspace)
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
        "not_installed": missing,
        "stale": [asdict(each) for each in stale],
        "other_embedder": asdict(other) if other else None,
    }
    invocation.emit(
        result, lambda: Group(_totals(images, faces), "", _steps_table(steps))
    )
    invocation.say_if_empty()
    for each in (*stale, *([other] if other else ())):
        invocation.say(each.message)
    for hint in hints(invocation.workspace):
        invocation.say(hint)
    report_not_installed(invocation, missing)


def other_embedder(workspace: Workspace) -> OtherEmbedder | None:
    """What a change of the embedder leaves to do; None if its file is not readable."""
    try:
        path = weights_path(model_path(workspace, "embedder"))
        card = load_card(path.with_suffix(".json"))
    except (BadModel, WrongUse):
        return None
    with workspace.catalogue.read() as connection:
        return find_other_embedder(connection, card.sha256)


def hints(workspace: Workspace) -> list[str]:
    """What a person may want to do that `icf-filter run` does not do by itself."""
    found = other_detector(workspace), uncalibrated(workspace)
    return [each for each in found if each]


def _steps(workspace: Workspace) -> Sequence[Step[Any]]:
    """All steps; only the built-in ones if a plug-in cannot be loaded."""
    try:
        return filter_chain(workspace).steps
    except WrongUse:
        return own_steps(workspace)


def rows_of_missing_steps(workspace: Workspace) -> dict[str, int]:
    """Count the rows that wait for steps that are not installed."""
    known = {step.name for step in own_steps(workspace)} | plugins.names()
    with workspace.catalogue.read() as connection:
        return count_not_installed(connection, known)


def report_not_installed(invocation: Invocation, missing: Mapping[str, int]) -> None:
    """Print a line for each step that rows wait for but is not installed."""
    for step, number in missing.items():
        invocation.say(
            f"{number:,} rows wait for the step {step!r}, which is not installed; "
            "install its package and run `icf-filter run`"
        )


def _totals(images: Counts, faces: Counts) -> Table:
    columns = ("", "total", "kept", "pending", "dropped")
    rows = [
        (name, each.total, each.kept, each.pending, sum(each.dropped.values()))
        for name, each in (("images", images), ("faces", faces))
    ]
    return command.table(columns, rows)


def _steps_table(steps: Sequence[StepCounts]) -> Table:
    """A line for each step, followed by a line for each reason."""
    rows: list[tuple[str, ...]] = []
    of_others = {subject: plugins.meanings(subject) for subject in REASONS}
    for each in steps:
        numbers = each.reached, each.passed, each.waiting, sum(each.dropped.values())
        rows.append((each.step, *(f"{number:,}" for number in numbers), ""))
        codes, others = REASONS[each.subject], of_others[each.subject]
        for reason, number in each.dropped.items():
            explained = f"{reason}: {meaning_of(codes, reason, others)}"
            rows.append(("", "", "", "", f"{number:,}", explained))
    columns = ("step", "reached", "passed", "waiting", "dropped", "reason")
    drawn = command.table(columns, rows)
    for column in drawn.columns[1:5]:
        column.justify = "right"
    return drawn
