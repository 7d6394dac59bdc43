"""List known pairs, with how people answered them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.gold.source import in_use
from icf.catalogue.annotation.schema import gold, gold_answer
from icf.catalogue.schema import album, character
from icf.codes import Choice


@dataclass(frozen=True)
class Listed:
    """A known pair.

    Attributes:
        id: of the pair.
        face_id: the face.
        character: ``ALBUM/NAME``.
        same: whether the face is the character.
        made_by: how that is known.
        state: ``"in use"``, ``"set aside"`` (its reference or a picture is not shown
            any more) or ``"retired"``.
        answered, right: how many people answered it, and how many of them rightly.
    """

    id: int
    face_id: int
    character: str
    same: bool
    made_by: str
    state: str
    answered: int
    right: int


def list_known(connection: sa.Connection) -> list[Listed]:
    """Read all known pairs, in the order in which they were added."""
    used = set(connection.execute(in_use()).scalars())
    is_right = sa.case((gold_answer.c.choice == gold.c.truth, 1), else_=0)
    query = (
        sa.select(
            gold,
            album.c.name.label("album"),
            character.c.name.label("character"),
            sa.func.count(gold_answer.c.id).label("answered"),
            sa.func.coalesce(sa.func.sum(is_right), 0).label("right"),
        )
        .join(character, character.c.id == gold.c.character_id)
        .join(album, album.c.id == character.c.album_id)
        .outerjoin(
            gold_answer,
            sa.and_(
                gold_answer.c.gold_id == gold.c.id, gold_answer.c.replaced_at.is_(None)
            ),
        )
        .group_by(gold.c.id, album.c.name, character.c.name)
        .order_by(gold.c.id)
    )
    found = []
    for row in connection.execute(query):
        retired = "retired" if row.retired_at is not None else "set aside"
        found.append(
            Listed(
                row.id,
                row.face_id,
                f"{row.album}/{row.character}",
                row.truth == Choice.TRUE.value,
                row.made_by,
                "in use" if row.id in used else retired,
                row.answered,
                int(row.right),
            )
        )
    return found
