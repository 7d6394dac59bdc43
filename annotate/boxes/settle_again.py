"""Settle pictures again by the answers that count, after that or a setting changed."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from icf.annotate.boxes.record import follow, lock_tasks
from icf.annotate.boxes.task import rule_of
from icf.catalogue.annotation.schema import box_answer, box_task
from icf.workspace import Workspace

#: As the catalogue calls the run.
COMMAND = "icf-annotate labels"
#: Pictures of a transaction.
CHUNK = 500


def settle_again(
    workspace: Workspace, by: str | None = None, command: str = COMMAND
) -> int:
    """Settle pictures by the settings as they are now.

    Args:
        workspace: whose pictures.
        by: only those that this person answered; None: all.
        command: as the catalogue calls the run.

    Returns:
        The number of pictures that have another status or other boxes now.
    """
    with workspace.catalogue.read() as connection:
        pages = list(_pages(connection, by))
    if not pages:
        return 0
    run_id, changed = workspace.begin_run(command), 0
    for ids in pages:
        with workspace.catalogue.write() as connection:
            asked = sorted(lock_tasks(connection, ids))
            changed += follow(connection, run_id, asked, rule_of(workspace))
    workspace.end_run(run_id)
    return changed


def preview_again(workspace: Workspace) -> int:
    """Count what `settle_again` would change, and change nothing."""
    with workspace.catalogue.read() as connection:
        pages = list(_pages(connection))
    if not pages:
        return 0
    with workspace.catalogue.scratch() as connection:
        run_id = workspace.note_run(connection, COMMAND)
        rule = rule_of(workspace)
        return sum(follow(connection, run_id, ids, rule) for ids in pages)


def _pages(connection: sa.Connection, by: str | None = None) -> Iterator[list[int]]:
    """Yield the ids of the pictures that people were asked about."""
    query = sa.select(box_task.c.image_id).order_by(box_task.c.image_id).limit(CHUNK)
    if by is not None:
        query = query.where(
            sa.exists().where(
                box_answer.c.image_id == box_task.c.image_id,
                box_answer.c.annotator == by,
            )
        )
    last = -1
    while ids := list(
        connection.execute(query.where(box_task.c.image_id > last)).scalars()
    ):
        yield ids
        last = ids[-1]
