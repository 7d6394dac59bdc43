"""Whether anything changed since a re-evaluation that changed nothing.

Then another one would change nothing either, and need not be made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from icf.catalogue import looked_at
from icf.catalogue.looked_at import Look, checksum
from icf.catalogue.schema import (
    HexHash,
    calibration,
    candidate,
    character,
    decision,
    face,
    face_link,
    question,
)
from icf.engine.runner import Chain
from icf.engine.tables import TABLES
from icf.version import __version__

#: The name in the table of what was looked at; its one subject is the catalogue.
_SEARCH, _WHOLE = "rethreshold", 0


def fingerprint(connection: sa.Connection, chain: Chain) -> str | None:
    """Of the steps with their settings, and of all that they read.

    States, labels, references and merges change together with a decision in the ledger.

    Returns:
        None if the chain has a step of another package, whose rules may have changed.
    """
    if not all(type(step).__module__.startswith("icf.") for step in chain.steps):
        return None
    rows = [tuple(connection.execute(query).all()) for query in _queries()]
    parts = f"{__version__} {chain.steps} {rows}"
    return hashlib.sha256(parts.encode()).hexdigest()


def is_settled(connection: sa.Connection, fingerprint: str | None) -> bool:
    """Whether a re-evaluation of the state with this fingerprint changed nothing."""
    settled = looked_at.read(connection, _SEARCH).get(_WHOLE)
    return settled is not None and settled.fingerprint == fingerprint


def note_settled(connection: sa.Connection, fingerprint: str) -> None:
    """Store that it did."""
    looked_at.write(connection, _SEARCH, {_WHOLE: Look(fingerprint)})


def _queries() -> Iterator[sa.Select[Any]]:
    for table in TABLES.values():
        # Measures may be made again without a decision.
        sums: list[sa.ColumnElement[Any]] = [
            sa.func.sum(column)
            for column in table.c
            if isinstance(column.type, sa.Integer | sa.Double)
            and not isinstance(column.type, HexHash)
        ]
        yield sa.select(sa.func.count(), *sums).select_from(table)
    yield (
        sa.select(face.c.embedder, sa.func.count())
        .group_by(face.c.embedder)
        .order_by(face.c.embedder)
    )
    yield sa.select(sa.func.max(decision.c.id))
    yield sa.select(sa.func.max(calibration.c.id))
    yield sa.select(sa.func.count()).select_from(candidate)
    yield sa.select(sa.func.count()).select_from(face_link)
    labels = sa.select(question.c.label, *checksum(question.c.id))
    yield labels.group_by(question.c.label).order_by(question.c.label)
    by = character.c.reference_by
    yield (
        sa.select(
            by,
            *checksum(character.c.id, sa.func.coalesce(character.c.merged_into, 0)),
            *checksum(
                character.c.id, sa.func.coalesce(character.c.reference_face_id, 0)
            ),
        )
        .group_by(by)
        .order_by(by)
    )
