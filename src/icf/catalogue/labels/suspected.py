"""Faces of which the filter suspects something that nobody settled yet."""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.schema import face, review
from icf.codes import WAITING_REVIEWS, Suspicion


def is_suspected() -> sa.ColumnElement[bool]:
    """Of faces: an open suspicion is about it."""
    alone = sa.select(review.c.face_id).where(review.c.status.in_(WAITING_REVIEWS))
    twins = sa.select(review.c.other_face_id).where(
        review.c.status.in_(WAITING_REVIEWS), review.c.kind == Suspicion.TWIN.value
    )
    return sa.or_(face.c.id.in_(alone), face.c.id.in_(twins))
