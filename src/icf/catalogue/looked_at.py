"""What searches over the whole catalogue have seen, so that they search what changed.

A search names its subjects (characters, albums) and makes a fingerprint of all that it
reads about each. A subject whose fingerprint is still the stored one would give the
same result again. `checksum` makes fingerprints of sets of rows in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import insert_into
from icf.catalogue.schema import looked_at

#: Two primes, so that the sum of products differs for sets of equal size and sum.
_PRIMES = 1_000_003, 999_983


@dataclass(frozen=True)
class Look:
    """What was seen of a subject.

    Attributes:
        fingerprint: of what the search read.
        result: what the search needs of its result, if anything.
    """

    fingerprint: str
    result: bytes | None = None


def checksum(
    one: sa.ColumnElement[int], other: sa.ColumnElement[int] | None = None
) -> list[sa.ColumnElement[Any]]:
    """Three aggregates that are equal for equal sets of ids, or of pairs of ids.

    Sets that differ have the same three numbers with a chance of one in many millions
    of millions.
    """
    other = one if other is None else other
    product = (one % _PRIMES[0]) * (other % _PRIMES[1])
    return [sa.func.count(), sa.func.sum(one), sa.func.sum(product)]


def read(connection: sa.Connection, search: str) -> dict[int, Look]:
    """What a search has seen, by subject."""
    query = sa.select(
        looked_at.c.subject_id, looked_at.c.fingerprint, looked_at.c.result
    ).where(looked_at.c.search == search)
    return {
        row.subject_id: Look(row.fingerprint, row.result)
        for row in connection.execute(query)
    }


def write(connection: sa.Connection, search: str, looks: Mapping[int, Look]) -> None:
    """Store what a search has seen of some subjects, in the transaction that acts."""
    insert = insert_into(connection, looked_at)
    changed = insert.on_conflict_do_update(
        index_elements=["search", "subject_id"],
        set_={
            "fingerprint": insert.excluded.fingerprint,
            "result": insert.excluded.result,
        },
    )
    rows = [
        {"search": search, "subject_id": subject, **vars(look)}
        for subject, look in sorted(looks.items())
    ]
    if rows:
        connection.execute(changed, rows)
