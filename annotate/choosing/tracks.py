"""How many of the faces that follow another one of their track are asked about."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sqlalchemy as sa

from icf.annotate.choosing.frames import is_follower
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.catalogue.rows import by_ids
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import face, face_link


def make_room(
    connection: sa.Connection, chosen: list[Proposal], room: int, shares: Shares
) -> tuple[list[Proposal], int]:
    """Leave room for the followers that are drawn beside what is chosen.

    Args:
        connection: to the catalogue.
        chosen: questions of a batch, the most useful first.
        room: questions that it has room for.
        shares: what it is made of.

    Returns:
        The questions that there is room for, and the number of followers to draw.
    """
    if not shares.follow:
        return chosen, 0
    audited = _count_audited(connection, chosen, shares)
    if len(chosen) + audited <= room:
        return chosen, audited
    most = max(1, room * len(chosen) // (len(chosen) + audited))
    kept = chosen[:most]
    audited = _count_audited(connection, kept, shares)
    return kept, min(audited, max(0, room - len(kept)))


def _count_audited(
    connection: sa.Connection, chosen: Sequence[Proposal], shares: Shares
) -> int:
    """The stated share of the faces that will follow some chosen ones."""
    asked = [each.face_id for each in chosen]
    linked = sa.select(face_link.c.other_id).where(face_link.c.same)
    others = {
        row.other_id for row in by_ids(connection, linked, face_link.c.face_id, asked)
    }
    frame = kept_frame(confirmed=shares.confirmed).where(is_follower(shares))
    new = sum(1 for _ in by_ids(connection, frame, face.c.id, sorted(others)))
    return math.ceil(new * shares.track_audit)
