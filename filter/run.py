"""Run the filter over a workspace; what `icf-filter run` and `icf round` call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue import entry_steps, references
from icf.catalogue.schema import decision
from icf.engine.engine import Engine
from icf.engine.runner import Bar, Chain, Runner, Tally
from icf.engine.step import Step
from icf.errors import SomeFailed
from icf.filter.chain import filter_chain
from icf.filter.copies.twins import find_twins
from icf.filter.detect_again import detect_again
from icf.filter.embed_again import (
    count_outdated,
    decide_again,
    embed_again,
    is_undecided,
)
from icf.filter.entry_steps import ENTRY_STEPS
from icf.filter.identify.links import link_faces
from icf.filter.restored import discard_ahead
from icf.filter.retry import FAILED
from icf.filter.review.queues import count_characters
from icf.filter.review.suspicions import refresh
from icf.filter.step_range import Chosen
from icf.filter.steps.detect import Detect
from icf.filter.steps.duplicates import Duplicates
from icf.filter.steps.embed import Embed
from icf.filter.steps.identity import Identity
from icf.filter.steps.reference import Reference
from icf.filter.waiting import LOCK, count_waiting
from icf.models.registry.register import register
from icf.stores.blobs import LOST_REMEDY
from icf.workspace import Workspace

#: Every step of the chain.
ALL = Chosen()

#: They decide by vectors, and do so again together after the embedder changed.
_DECIDED_AGAIN = {Duplicates.name, Reference.name, Identity.name}

#: How many failed items a message names.
SHOWN = 3


def pending(workspace: Workspace, chosen: Chosen = ALL) -> dict[str, int]:
    """Count the rows that wait for each step.

    Raises:
        WrongUse: ``chosen`` names no step, or contradicts itself.
    """
    steps = chosen.of(filter_chain(workspace).steps)
    with workspace.catalogue.read() as connection:
        return count_waiting(connection, steps)


def run_steps(
    workspace: Workspace,
    chosen: Chosen,
    engine: Engine,
    bar: Bar,
    *,
    search_again: bool = False,
) -> list[Tally]:
    """Run each step over everything that waits for it.

    With one catalogue one run at a time; a second waits, and judges what is left then.

    Args:
        workspace: with harvested pictures.
        chosen: the steps.
        engine: what judges.
        bar: opens a progress bar.
        search_again: search pictures again that another detector searched.

    Raises:
        WrongUse: ``chosen`` names no step, or contradicts itself.
        BrokenMachine: the disk or the database does not answer.
    """
    chain = filter_chain(workspace)
    steps = chosen.of(chain.steps)
    workspace.check_blobs()
    with workspace.one_at_a_time(LOCK, "icf-filter run"):
        return _run_steps(
            workspace, chosen, chain, steps, engine, bar, search_again=search_again
        )


def _run_steps(
    workspace: Workspace,
    chosen: Chosen,
    chain: Chain,
    steps: Sequence[Step[Any]],
    engine: Engine,
    bar: Bar,
    *,
    search_again: bool,
) -> list[Tally]:
    run_id = workspace.begin_run(" ".join(["icf-filter", "run", *chosen.words]))
    discard_ahead(workspace)
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
    names = {step.name for step in steps}
    for step in steps:
        if isinstance(step, Embed):
            # A reference chosen by hand is embedded whatever the steps before decide.
            with workspace.catalogue.write() as connection:
                references.settle(connection, run_id)
        if isinstance(step, Duplicates) and names.issuperset(_DECIDED_AGAIN):
            tallies += _decide_again(workspace, chain, run_id, bar)
        pending = runner.pending(step)
        if pending and isinstance(step, Detect | Embed):
            register(workspace.catalogue, [step.card()])
        with bar(step.name, pending) as advance:
            tallies.append(runner.run(step, advance))
        if tallies[-1].waiting:  # for pictures: what follows would decide by a few
            workspace.check_blobs()
        if isinstance(step, Embed):
            tallies += _embed_again(workspace, step, chain, engine, run_id, bar)
        if isinstance(step, Detect) and search_again:
            register(workspace.catalogue, [step.card()])
            found = detect_again(workspace, step, chain, engine, run_id, bar)
            tallies.append(found)
        if isinstance(step, Detect):
            link_faces(workspace.catalogue)
        if isinstance(step, Identity):
            find_twins(workspace)
            with bar("review", count_characters(workspace.catalogue)) as advance:
                refresh(workspace, advance)
    workspace.end_run(run_id)
    return tallies


def _embed_again(
    workspace: Workspace,
    step: Embed,
    chain: Chain,
    engine: Engine,
    run_id: int,
    bar: Bar,
) -> list[Tally]:
    """Follow a change of the embedder, if there was one."""
    card = step.card()
    with workspace.catalogue.read() as connection:
        if not count_outdated(connection, card.sha256):
            return []
    register(workspace.catalogue, [card])
    made = embed_again(workspace, step, card.sha256, chain, engine, run_id, bar)
    return [made] if made else []


def _decide_again(
    workspace: Workspace, chain: Chain, run_id: int, bar: Bar
) -> list[Tally]:
    """Decide by new vectors, if there are any."""
    with workspace.catalogue.read() as connection:
        if not is_undecided(connection):
            return []
    return [decide_again(workspace, chain, run_id, bar)]


def raise_for_failures(workspace: Workspace, tallies: Sequence[Tally]) -> None:
    """Raise if a step failed on items.

    Raises:
        SomeFailed: with their number, and commands that show why.
    """
    failed = {t.step: sum(t.dropped[reason] for reason in FAILED) for t in tallies}
    total = sum(failed.values())
    lost = sum(t.waiting.total() for t in tallies)
    waiting = (
        f"{lost:,} items still wait: the blob store has lost the bytes of their "
        f"pictures; {LOST_REMEDY}"
    )
    if not total:
        if lost:
            raise SomeFailed(waiting)
        return
    query = (
        sa.select(decision.c.subject, decision.c.subject_id)
        .where(decision.c.reason.in_(FAILED))
        .order_by(decision.c.id.desc())
        .limit(SHOWN)
    )
    with workspace.catalogue.read() as connection:
        rows = connection.execute(query).all()
    where = ", ".join(f"{step} ({number})" for step, number in failed.items() if number)
    commands = ", ".join(f"`icf why {row.subject}:{row.subject_id}`" for row in rows)
    raise SomeFailed(
        f"done, but steps failed on {total} items: {where}; see {commands}; "
        "once that is mended, `icf-filter retry` sends them back"
        + (f"\n{waiting}" if lost else "")
    )
