"""Which character a face shows, as far as it is known.

``face.filed_under_id`` is the first of the characters that its picture was found under.
``face.character_id`` is the one that identity chose among them, and NULL until it has
chosen. Code that needs the best that is known calls `current_character` or `is_of`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import face


def current_character(of: sa.FromClause = face) -> sa.ColumnElement[Any]:
    """The character of a face: identity's choice, or the first it was found under.

    Args:
        of: the table ``face``, or an alias of it.
    """
    return sa.func.coalesce(of.c.character_id, of.c.filed_under_id)


def is_of(character_id: int) -> sa.ColumnElement[bool]:
    """Whether a character is the `current_character` of a face; uses the indexes."""
    return sa.or_(
        face.c.character_id == character_id,
        sa.and_(face.c.character_id.is_(None), face.c.filed_under_id == character_id),
    )
