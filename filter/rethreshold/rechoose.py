"""People's decisions on faces, and references that are chosen again.

The automatic reference of a character is the best of its kept faces, so it is chosen
again when these change. A person's choice stays. A reference that people have answered
questions about stays as long as it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.references import HAND
from icf.catalogue.schema import character, face, question
from icf.codes import YES_OR_NO, Label, Verdict
from icf.filter.rethreshold.chain_state import Ids


@dataclass(frozen=True)
class HumanDecisions:
    """Faces that people decided on.

    Attributes:
        chosen: those chosen as references, ascending.
        known: those chosen or confirmed.
    """

    chosen: Ids
    known: frozenset[int]


def read_human_decisions(connection: sa.Connection) -> HumanDecisions:
    """Read people's decisions."""
    by_hand = sa.select(character.c.reference_face_id).where(
        character.c.reference_by == HAND, character.c.reference_face_id.is_not(None)
    )
    confirmed = sa.select(question.c.face_id).where(
        question.c.label == Label.SAME.value
    )
    chosen = np.fromiter(connection.execute(by_hand).scalars(), np.int64)
    known = frozenset(connection.execute(confirmed).scalars())
    return HumanDecisions(np.unique(chosen), known.union(chosen.tolist()))


@contextmanager
def without_reference(
    connection: sa.Connection, character_id: int
) -> Iterator[int | None]:
    """Hide the automatic reference of a character while the block runs.

    So the step chooses as if for the first time. A reference that people chose, or
    answered questions about, is not hidden.

    Yields:
        The face that is hidden, if there is one.
    """
    row = sa.select(character).where(character.c.id == character_id)
    old = connection.execute(row).one()
    answered = sa.exists().where(
        question.c.reference_face_id == old.reference_face_id,
        question.c.label.in_(YES_OR_NO),
    )
    kept = old.reference_by == HAND or connection.execute(sa.select(answered)).scalar()
    if kept or old.reference_face_id is None:
        yield None
        return
    update = sa.update(character).where(character.c.id == character_id)
    connection.execute(update.values(reference_face_id=None, reference_by=None))
    yield int(old.reference_face_id)
    connection.execute(
        update.values(
            reference_face_id=old.reference_face_id, reference_by=old.reference_by
        )
    )


def lost_references(connection: sa.Connection) -> list[tuple[int, int]]:
    """Characters whose automatic reference the filter has dropped since.

    Returns:
        The id of each, and of its reference.
    """
    query = (
        sa.select(character.c.id, character.c.reference_face_id)
        .join(face, face.c.id == character.c.reference_face_id)
        .where(
            character.c.reference_by.is_distinct_from(HAND),
            face.c.verdict == Verdict.DROPPED.value,
        )
        .order_by(character.c.id)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def confirmed_of(connection: sa.Connection, ids: Ids) -> list[int]:
    """The faces among ``ids`` that people confirmed, ascending."""
    query = sa.select(question.c.face_id).where(question.c.label == Label.SAME.value)
    confirmed_ids = np.fromiter(connection.execute(query).scalars(), np.int64)
    return [int(each) for each in np.intersect1d(ids, confirmed_ids)]
