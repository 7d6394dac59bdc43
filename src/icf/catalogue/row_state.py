"""The one writer of what a decision makes of images and faces.

``awaits``, ``verdict`` and ``reason`` of a row, the columns that a decision sets, and
the line in the ledger are written together, so that none is ever without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.schema import face, image

_TABLES = {table.name: table for table in (image, face)}


@dataclass(frozen=True)
class RowState:
    """A decision, and where its row stands then.

    Attributes:
        decision: on an image or a face; the row gets its verdict and its reason.
        awaits: the step that the row waits for; None where it waits for none.
        columns: other columns of the row to set.
    """

    decision: ledger.Decision
    awaits: str | None
    columns: Mapping[str, object] = field(default_factory=dict)


def write(connection: sa.Connection, run_id: int, states: Iterable[RowState]) -> None:
    """Append decisions and update their rows: one statement for each set of columns.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge the decisions to.
        states: one for each row.
    """
    states = list(states)
    ledger.append(connection, run_id, [each.decision for each in states])
    together: dict[tuple[str, ...], list[Mapping[str, object]]] = {}
    for each in states:
        row = {
            **each.columns,
            "awaits": each.awaits,
            "verdict": each.decision.verdict,
            "reason": each.decision.reason,
        }
        rows = together.setdefault((each.decision.subject, *sorted(row)), [])
        rows.append({"row_id": each.decision.subject_id, **row})
    for (subject, *names), rows in together.items():
        _update(connection, _TABLES[subject], names, rows)


def _update(
    connection: sa.Connection,
    table: sa.Table,
    names: Sequence[str],
    rows: Sequence[Mapping[str, object]],
) -> None:
    update = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(name) for name in names})
    )
    connection.execute(update, rows)
