"""Two faces of one frame are two characters (``face_link.same`` is false).

So where one is confirmed as a character, the other one is not that character, and
nobody is asked about it. Taken back, the answer rules nothing out any more: nothing is
stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.catalogue.confirmations import HAND
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import LINK_ENDS, character, face_link, question
from icf.codes import Label

#: Ids are smaller than this, so two of them make one number.
_MOST = 2**31


def is_ruled_out(
    face_id: sa.ColumnElement[Any], character_id: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether a face cannot be a character, which is not merged.

    Pairs are compared as one number: of pairs that may be null, SQLite reads the whole
    list for each row.
    """
    pair = _ruled_out().subquery()
    known = sa.select(pair.c.face_id * _MOST + pair.c.character_id)
    return (face_id * _MOST + character_id).in_(known)


@cache
def _ruled_out() -> sa.CompoundSelect[Any]:
    """Select faces, each with a character that it cannot be."""
    said = [
        sa.select(one.label("face_id"), survivor().label("character_id"))
        .select_from(face_link)
        .join(question, question.c.face_id == other)
        .join(character, character.c.id == question.c.character_id)
        .where(
            sa.not_(face_link.c.same),
            # Not by the index on labels: there are fewer links.
            sa.func.coalesce(question.c.label, "") == Label.SAME.value,
        )
        for one, other in LINK_ENDS
    ]
    by_hand = [
        sa.select(one.label("face_id"), survivor().label("character_id"))
        .select_from(face_link)
        .join(character, character.c.reference_face_id == other)
        .where(sa.not_(face_link.c.same), character.c.reference_by == HAND)
        for one, other in LINK_ENDS
    ]
    return sa.union_all(*said, *by_hand)


def beside(connection: sa.Connection, face_ids: Sequence[int]) -> dict[int, list[int]]:
    """Read the faces that are in one frame with some faces, by face id, ascending."""
    found: dict[int, set[int]] = {}
    for one, other in LINK_ENDS:
        query = sa.select(one.label("here"), other.label("there")).where(
            sa.not_(face_link.c.same)
        )
        for row in by_ids(connection, query, one, face_ids):
            found.setdefault(row.here, set()).add(row.there)
    return {key: sorted(others) for key, others in found.items()}
