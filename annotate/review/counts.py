"""How much waits for an expert."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from icf.annotate.audit.disputes import read_disputes
from icf.annotate.review.conflicts import count_conflicts
from icf.catalogue import reviews
from icf.codes import Suspicion

#: What an expert is asked first: what one answer settles most of.
ORDER = (Suspicion.MERGE, Suspicion.TWIN, Suspicion.SPLIT, Suspicion.OUTLIER)

#: What is shown on the page, in the order in which experts are asked.
AUDIT, CONFLICT = "audit", "conflict"
PARTS = (AUDIT, CONFLICT, *(each.value for each in ORDER))


def count_waiting(
    connection: sa.Connection, needed: int | None, *, confirmed: bool
) -> dict[str, int]:
    """Count what waits for an expert, by part.

    Args:
        connection: to the catalogue.
        needed: votes that settle a question; None: a probability does.
        confirmed: count suspicions only against references that people confirmed.
    """
    suspicions = count_suspicions(connection, confirmed=confirmed)
    return {
        AUDIT: len(read_disputes(connection)),
        CONFLICT: count_conflicts(connection, needed),
        **{each.value: suspicions[each] for each in ORDER},
    }


def count_suspicions(
    connection: sa.Connection, *, confirmed: bool
) -> Counter[Suspicion]:
    """Count what waits, by kind.

    Args:
        connection: to the catalogue.
        confirmed: only those against references that people confirmed.
    """
    every = reviews.askable(confirmed=confirmed, again=True).subquery()
    query = sa.select(every.c.kind, sa.func.count()).group_by(every.c.kind)
    rows = connection.execute(query)
    return Counter({Suspicion[kind.upper()]: number for kind, number in rows})
