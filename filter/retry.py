"""What a step failed on goes back to it, once its code or the machine was mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa

from icf.catalogue import row_state
from icf.catalogue.ledger import Decision
from icf.catalogue.row_state import RowState
from icf.catalogue.schema import decision, face, image
from icf.codes import ImageReason, Verdict
from icf.filter.chain import filter_chain
from icf.filter.waiting import LOCK
from icf.workspace import Workspace

#: Reasons of items that a step, or its process, failed on.
FAILED = (
    ImageReason.STEP_FAILED.value,
    ImageReason.CRASHED.value,
    ImageReason.HUNG.value,
)


def retry(workspace: Workspace, *, dry_run: bool = False) -> Counter[str]:
    """Let every item that a step failed on wait for this step again.

    Items of a step whose package was uninstalled stay as they are.

    Args:
        workspace: whose filter failed.
        dry_run: only count them.

    Returns:
        How many there are, by the name of the step.

    Raises:
        BrokenMachine: disk or database do not answer.
    """
    steps = {step.name for step in filter_chain(workspace).steps}
    with workspace.one_at_a_time(LOCK, "icf-filter retry"):
        with workspace.catalogue.read() as connection:
            states = [
                state
                for table in (image, face)
                for state in _sent_back(connection, table)
                if state.awaits in steps
            ]
        if states and not dry_run:
            run_id = workspace.begin_run("icf-filter retry")
            with workspace.catalogue.write() as connection:
                row_state.write(connection, run_id, states)
            workspace.end_run(run_id)
    return Counter(state.decision.step for state in states)


def _sent_back(connection: sa.Connection, table: sa.Table) -> Iterator[RowState]:
    """Yield the state of each failed row as it is before the step that failed."""
    each = decision.alias()
    last = (
        sa.select(sa.func.max(each.c.id))
        .where(
            each.c.subject == table.name,
            each.c.subject_id == table.c.id,
            each.c.reason == table.c.reason,
        )
        .correlate(table)
        .scalar_subquery()
    )
    query = (
        sa.select(table.c.id, decision.c.step)
        .select_from(table)
        .join(decision, decision.c.id == last)
        .where(table.c.reason.in_(FAILED), table.c.awaits.is_(None))
        .order_by(table.c.id)
    )
    why = "the step had failed on it, and is tried again"
    for key, step in connection.execute(query):
        sent = Decision(table.name, key, step, Verdict.PENDING.value, "ok", message=why)
        yield RowState(sent, step)
