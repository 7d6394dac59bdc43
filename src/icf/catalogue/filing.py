"""Under which character a new face is filed, before anybody compares it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.schema import candidate, character

#: Pictures in one query. SQLite takes 999 variables before version 3.32.
_CHUNK = 900


def filed_under(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
    """The first character of each image: one whose page it leads, else the oldest."""
    query = (
        sa.select(candidate.c.image_id, survivor().label("character_id"))
        .join(character, character.c.id == candidate.c.character_id)
        .order_by(candidate.c.is_lead, candidate.c.character_id.desc())
    )
    found: dict[int, int] = {}
    for start in range(0, len(image_ids), _CHUNK):
        part = image_ids[start : start + _CHUNK]
        for row in connection.execute(query.where(candidate.c.image_id.in_(part))):
            found[row.image_id] = row.character_id
    return found
