"""Insert an answer of the page: once, and in the place of the person's earlier one."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.annotate.formats.values import is_credible
from icf.annotate.tasks.base import Given, RefusedAnswer


def insert_answer(
    connection: sa.Connection,
    table: sa.Table,
    subject: sa.Column[int],
    given: Given,
    **values: Any,
) -> bool:
    """Insert an answer, in the caller's transaction.

    An answer with a known ``client_id`` was sent twice and is not inserted again. The
    person's earlier answer to the same thing stays in the table as replaced; one that
    arrives late, after a later one, is stored as replaced itself.

    Args:
        connection: a write transaction that holds the person (`icf.annotate.tasks
            .store`), so that nobody else stores this person's answers.
        table: a table of answers, see `icf.catalogue.annotation.schema`.
        subject: its column with the id of what is answered.
        given: the answer.
        **values: of the columns that only this table has.

    Returns:
        Whether it is new.

    Raises:
        RefusedAnswer: another answer has this ``client_id``.
    """
    if is_known(connection, subject, given):
        return False
    key, name = given.lease.subject_id, given.lease.person.name
    now = time.time()
    counts = connection.execute(
        _that_counts(subject), {"of_subject": key, "of_annotator": name}
    ).first()
    # An earlier version may have taken what no moment can be.
    is_late = (
        counts is not None
        and (counts.answered_at or 0.0) > given.answered_at
        and is_credible(counts.answered_at)
    )
    if counts is not None and not is_late:
        update = sa.update(table).where(table.c.id == counts.id)
        connection.execute(update.values(replaced_at=now))
    row = {
        subject.name: key,
        "annotator": name,
        "seconds": given.seconds,
        "answered_at": given.answered_at,
        "client_id": given.client_id,
        "replaced_at": now if is_late else None,
    }
    connection.execute(sa.insert(table).values(**row, **values))
    return True


def is_known(connection: sa.Connection, subject: sa.Column[int], given: Given) -> bool:
    """Whether this very answer was stored before, because it was sent twice.

    Args:
        connection: to the catalogue.
        subject: as for `insert_answer`.
        given: the answer.

    Raises:
        RefusedAnswer: another answer has this ``client_id``.
    """
    of_client = {"of_client": given.client_id}
    known = connection.execute(_of_client(subject), of_client).first()
    if known is None:
        return False
    mine = given.lease.subject_id, given.lease.person.name
    if (known.subject, known.annotator) != mine:
        raise RefusedAnswer("its id is that of another answer")
    return True


# Made once for each table: every answer asks them.
@cache
def _of_client(subject: sa.Column[int]) -> sa.Select[Any]:
    """What an answer with a ``client_id`` is about, and whose it is."""
    table = subject.table
    return sa.select(subject.label("subject"), table.c.annotator).where(
        table.c.client_id == sa.bindparam("of_client")
    )


@cache
def _that_counts(subject: sa.Column[int]) -> sa.Select[Any]:
    """A person's answer to something that was not replaced."""
    table = subject.table
    return sa.select(table.c.id, table.c.answered_at).where(
        subject == sa.bindparam("of_subject"),
        table.c.annotator == sa.bindparam("of_annotator"),
        table.c.replaced_at.is_(None),
    )
