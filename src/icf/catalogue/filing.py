"""Under which character a new face is filed (``face.filed_under_id``)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import candidate, character


def filed_under(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
    """The first character of each image: one whose page it leads, else the oldest."""
    query = (
        sa.select(candidate.c.image_id, survivor().label("character_id"))
        .join(character, character.c.id == candidate.c.character_id)
        .order_by(candidate.c.is_lead, candidate.c.character_id.desc())
    )
    rows = by_ids(connection, query, candidate.c.image_id, image_ids)
    return {row.image_id: row.character_id for row in rows}
