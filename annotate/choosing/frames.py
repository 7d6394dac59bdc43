"""Faces that can be asked about, as queries, and how many there are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.catalogue import reviews
from icf.catalogue.labels.sure_faces import is_sure
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import face


def unsure_frame(*, confirmed: bool, risk: float) -> sa.Select[Any]:
    """Kept faces that nobody was asked about and of which the model is not sure."""
    frame = kept_frame(confirmed=confirmed)
    return frame.where(sa.not_(is_sure(risk))) if risk else frame


def pairs_to_ask(*, confirmed: bool, risk: float) -> sa.CompoundSelect[Any]:
    """Pairs of face and character that a question can be about, each once.

    Args:
        confirmed: only against references that people confirmed.
        risk: of `icf.annotate.choosing.shares.Shares`.
    """
    suspicious = reviews.askable(confirmed=confirmed).subquery()
    return sa.union(
        sa.select(suspicious.c.face_id, suspicious.c.character_id),
        unsure_frame(confirmed=confirmed, risk=risk).with_only_columns(
            face.c.id, face.c.character_id
        ),
    )


def count_rows(
    connection: sa.Connection, query: sa.Select[Any] | sa.CompoundSelect[Any]
) -> int:
    """Count the rows of a query."""
    count = sa.select(sa.func.count()).select_from(query.subquery())
    return int(connection.execute(count).scalar_one())
