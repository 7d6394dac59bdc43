"""Close suspicions that no longer hold: a face or a reference of them changed.

A question that was asked about one may still be answered; the answer then says what it
says about the face, and settles no suspicion.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.catalogue.face_character import current_character
from icf.catalogue.rows import CHUNK, by_given_ids, with_ids
from icf.catalogue.schema import character, face, review
from icf.codes import WAITING_REVIEWS, ReviewStatus, Suspicion, Verdict

_ALONE = (Suspicion.OUTLIER.value, Suspicion.SPLIT.value)


def close_stale(
    connection: sa.Connection, characters: Sequence[int] | None = None
) -> None:
    """Close what waits for an answer and is about other faces than it was found for.

    Args:
        connection: a transaction that writes.
        characters: look only at suspicions about these; None: at all.
    """
    if characters is None:
        for query in _stale():
            _close(connection, list(connection.execute(query).scalars()))
        return
    for query in _stale_of_characters():
        rows = by_given_ids(connection, query, characters)
        _close(connection, [row.id for row in rows])


def close_witnesses(connection: sa.Connection, character_id: int, face_id: int) -> None:
    """Close merges that rest on a face as a picture of a character.

    Also those that were answered: people said that it is no picture of it.
    """
    witnesses = sa.or_(
        sa.and_(review.c.character_id == character_id, review.c.face_id == face_id),
        sa.and_(
            review.c.other_character_id == character_id,
            review.c.other_face_id == face_id,
        ),
    )
    query = sa.select(review.c.id).where(
        review.c.kind == Suspicion.MERGE.value, witnesses
    )
    _close(connection, list(connection.execute(query).scalars()))


@cache
def _stale() -> tuple[sa.Select[Any], ...]:
    return _alone(), _merges(), _twins()


@cache
def _stale_of_characters() -> tuple[sa.Select[Any], ...]:
    return tuple(
        with_ids(query, column)
        for query in _stale()
        for column in (review.c.character_id, review.c.other_character_id)
    )


def _alone() -> sa.Select[Any]:
    own = character.alias("own")
    return (
        _waiting()
        .join(own, own.c.id == review.c.character_id)
        .join(face, face.c.id == review.c.face_id)
        .where(
            review.c.kind.in_(_ALONE),
            sa.or_(
                own.c.reference_face_id.is_distinct_from(review.c.other_face_id),
                _left(face, review.c.character_id),
            ),
        )
    )


def _merges() -> sa.Select[Any]:
    one, other = character.alias("one"), character.alias("other")
    return (
        _waiting()
        .join(one, one.c.id == review.c.character_id)
        .join(other, other.c.id == review.c.other_character_id)
        .where(
            review.c.kind == Suspicion.MERGE.value,
            sa.or_(
                one.c.reference_face_id.is_distinct_from(review.c.face_id),
                other.c.reference_face_id.is_distinct_from(review.c.other_face_id),
            ),
        )
    )


def _twins() -> sa.Select[Any]:
    one, other = face.alias("one"), face.alias("other")
    return (
        _waiting()
        .join(one, one.c.id == review.c.face_id)
        .join(other, other.c.id == review.c.other_face_id)
        .where(
            review.c.kind == Suspicion.TWIN.value,
            sa.or_(
                _left(one, review.c.character_id),
                _left(other, review.c.other_character_id),
            ),
        )
    )


def _waiting() -> sa.Select[Any]:
    return sa.select(review.c.id).where(review.c.status.in_(WAITING_REVIEWS))


def _left(
    of: sa.FromClause, character_id: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether a face was dropped, or assigned to another character."""
    return sa.and_(
        of.c.awaits.is_(None),
        sa.or_(
            of.c.verdict == Verdict.DROPPED.value,
            current_character(of) != character_id,
        ),
    )


def _close(connection: sa.Connection, ids: Sequence[int]) -> None:
    set_status(connection, ids, ReviewStatus.CLOSED.value)


def set_status(connection: sa.Connection, ids: Sequence[int], status: str) -> None:
    """Give suspicions a status, and note when it changed."""
    now = time.time()
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        connection.execute(
            sa.update(review)
            .where(review.c.id.in_(part), review.c.status != status)
            .values(status=status, changed_at=now)
        )
