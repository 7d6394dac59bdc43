"""Run the filter over a workspace; what `icf-filter run` and `icf round` call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from icf.catalogue import entry_steps, references
from icf.catalogue.schema import decision
from icf.codes import ImageReason
from icf.engine.engine import Engine
from icf.engine.runner import Chain, Progress, Runner, Tally
from icf.engine.step import Step
from icf.engine.tables import TABLES
from icf.errors import SomeFailed
from icf.filter.chain import filter_chain
from icf.filter.copies.twins import find_twins
from icf.filter.identify.links import link_faces
from icf.filter.review.queues import count_characters
from icf.filter.review.suspicions import refresh
from icf.filter.step_names import ENTRY_STEPS
from icf.filter.step_range import Chosen
from icf.filter.steps.detect import Detect
from icf.filter.steps.embed import Embed
from icf.filter.steps.identity import Identity
from icf.models.registry.register import register
from icf.stores.lock import one_at_a_time
from icf.workspace import Workspace

#: Opens a progress bar with a title and a total.
Bar = Callable[[str, int], AbstractContextManager[Progress]]

#: Every step of the chain.
ALL = Chosen()

#: In a workspace's folder: held by what changes decisions.
LOCK = "filter.lock"

#: How many failed items a message names.
SHOWN = 3

#: Reasons of items that a step, or its process, failed on.
_FAILED = (
    ImageReason.STEP_FAILED.value,
    ImageReason.CRASHED.value,
    ImageReason.HUNG.value,
)


def pending(workspace: Workspace, chosen: Chosen = ALL) -> dict[str, int]:
    """Count the rows that wait for each step.

    Raises:
        WrongUse: ``chosen`` names no step, or contradicts itself.
    """
    steps = chosen.of(filter_chain(workspace).steps)
    with workspace.catalogue.read() as connection:
        return count_waiting(connection, steps)


def count_waiting(
    connection: sa.Connection, steps: Sequence[Step[Any]]
) -> dict[str, int]:
    """Count the rows that wait for each of ``steps``."""
    waiting: dict[str, int] = {}
    for table in TABLES.values():
        query = sa.select(table.c.awaits, sa.func.count()).group_by(table.c.awaits)
        waiting.update({row[0]: row[1] for row in connection.execute(query)})
    return {step.name: waiting.get(step.name, 0) for step in steps}


def run_steps(
    workspace: Workspace, chosen: Chosen, engine: Engine, bar: Bar
) -> list[Tally]:
    """Run each step over everything that waits for it.

    In one folder one run at a time; a second one waits, and judges what is left then.

    Raises:
        WrongUse: ``chosen`` names no step, or contradicts itself.
        BrokenMachine: the disk or the database does not answer.
    """
    chain = filter_chain(workspace)
    steps = chosen.of(chain.steps)
    with one_at_a_time(workspace.root / LOCK, "icf-filter run"):
        return _run_steps(workspace, chosen, chain, steps, engine, bar)


def _run_steps(
    workspace: Workspace,
    chosen: Chosen,
    chain: Chain,
    steps: Sequence[Step[Any]],
    engine: Engine,
    bar: Bar,
) -> list[Tally]:
    run_id = workspace.begin_run(" ".join(["icf-filter", "run", *chosen.words]))
    with workspace.catalogue.write() as connection:
        entry_steps.declare(connection, ENTRY_STEPS)
    runner = Runner(
        workspace.catalogue,
        workspace.vectors,
        engine,
        run_id,
        chain,
        workspace.settings.filter.batch,
    )
    tallies = []
    for step in steps:
        if isinstance(step, Embed):
            # A reference chosen by hand is embedded whatever the steps before decide.
            with workspace.catalogue.write() as connection:
                references.settle(connection, run_id)
        pending = runner.pending(step)
        if pending and isinstance(step, Detect | Embed):
            register(workspace.catalogue, [step.card()])
        with bar(step.name, pending) as advance:
            tallies.append(runner.run(step, advance))
        if isinstance(step, Detect):
            link_faces(workspace.catalogue)
        if isinstance(step, Identity):
            find_twins(workspace)
            with bar("review", count_characters(workspace.catalogue)) as advance:
                refresh(workspace, advance)
    workspace.end_run(run_id)
    return tallies


def raise_for_failures(workspace: Workspace, tallies: Sequence[Tally]) -> None:
    """Raise if a step failed on items.

    Raises:
        SomeFailed: with their number, and commands that show why.
    """
    failed = {t.step: sum(t.dropped[reason] for reason in _FAILED) for t in tallies}
    total = sum(failed.values())
    lost = sum(t.waiting.total() for t in tallies)
    waiting = (
        f"{lost:,} items still wait: the blob store has lost the bytes of their "
        "pictures; `icf doctor --repair` fetches them again"
    )
    if not total:
        if lost:
            raise SomeFailed(waiting)
        return
    query = (
        sa.select(decision.c.subject, decision.c.subject_id)
        .where(decision.c.reason.in_(_FAILED))
        .order_by(decision.c.id.desc())
        .limit(SHOWN)
    )
    with workspace.catalogue.read() as connection:
        rows = connection.execute(query).all()
    where = ", ".join(f"{step} ({number})" for step, number in failed.items() if number)
    commands = ", ".join(f"`icf why {row.subject}:{row.subject_id}`" for row in rows)
    raise SomeFailed(
        f"done, but steps failed on {total} items: {where}; see {commands}"
        + (f"\n{waiting}" if lost else "")
    )
