"""Faces that a question can be about, and those that need none.

Nobody is asked by choice about a face

- of which the model is sure, at `Shares.risk` (`icf.catalogue.labels.sure_faces`);
- that follows another one of its track (`icf.catalogue.labels.followers`), or will;
- that is in one frame with a face that people confirmed as that character
  (`icf.catalogue.labels.same_picture`);
- that people confirmed as another character already: the answer could only contradict;
- on a picture that no release can contain, because of its licence.

All of them stay among the faces that questions are drawn from at random. Otherwise
those that are left would not stand for all kept faces, and probabilities would be
checked on a part of which something is known.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.releasable import may_be_released
from icf.annotate.choosing.shares import Shares
from icf.catalogue import reviews
from icf.catalogue.labels.followers import followers
from icf.catalogue.labels.same_picture import is_ruled_out
from icf.catalogue.labels.sure_faces import is_accepted, is_sure
from icf.catalogue.labels.suspected import is_suspected
from icf.catalogue.rounds.audit_set import is_set_aside
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import face, face_link, question
from icf.codes import Label, Suspicion

_another = question.alias("as_another")


def chosen_from(shares: Shares) -> sa.Select[Any]:
    """Kept faces that a question may be chosen about."""
    frame = _before_tracks(shares)
    return frame.where(sa.not_(is_follower(shares))) if shares.follow else frame


def pairs_to_ask(shares: Shares) -> sa.CompoundSelect[Any]:
    """Pairs of face and character that a question is still to be about, each once."""
    suspicious = suspicions(shares).subquery()
    return sa.union(
        sa.select(suspicious.c.face_id, suspicious.c.character_id),
        chosen_from(shares).with_only_columns(face.c.id, face.c.character_id),
    )


def suspicions(shares: Shares) -> sa.Select[Any]:
    """Suspicions of the filter that an answer may settle, the strongest first.

    The face is joined as ``face``.
    """
    query = reviews.askable(confirmed=shares.confirmed)
    kind, face_id, character_id = (
        query.selected_columns[name] for name in ("kind", "face_id", "character_id")
    )
    query = query.where(sa.not_(is_ruled_out(face_id, character_id)))
    if shares.licences is None:
        return query
    is_merge = kind == Suspicion.MERGE.value
    return query.where(sa.or_(is_merge, may_be_released(face.c.image_id, shares)))


def is_follower(shares: Shares) -> sa.ColumnElement[bool]:
    """Of kept faces: it follows a face that was asked about, or that will be."""
    return sa.or_(face.c.id.in_(followers()), face.c.id.in_(_waiting(shares)))


def _before_tracks(shares: Shares) -> sa.Select[Any]:
    """What may be chosen, were there no tracks."""
    frame = kept_frame(confirmed=shares.confirmed).where(
        sa.not_(is_ruled_out(face.c.id, face.c.character_id)),
        ~sa.exists().where(
            _another.c.face_id == face.c.id, _another.c.label == Label.SAME.value
        ),
    )
    if shares.risk:
        is_known = is_sure(shares.risk)
        if shares.look:
            is_known = sa.and_(is_known, sa.not_(is_accepted(shares.risk)))
        frame = frame.where(sa.not_(is_known))
    if shares.licences is not None:
        frame = frame.where(may_be_released(face.c.image_id, shares))
    return frame


def _waiting(shares: Shares) -> sa.Select[Any]:
    """Faces that will follow one of their track, which nobody was asked about yet.

    Of those that may be chosen it is the one with the smallest id.
    """
    linked = sa.union(
        sa.select(face_link.c.face_id).where(face_link.c.same),
        sa.select(face_link.c.other_id).where(face_link.c.same),
    )
    frame = _before_tracks(shares).where(
        face.c.id.in_(linked),
        face.c.id.not_in(followers()),
        sa.not_(is_suspected()),
        sa.not_(is_set_aside()),
    )
    # Read once, and not again for each link.
    faces = frame.with_only_columns(face.c.id, face.c.character_id).cte()
    first, other = faces.alias(), faces.alias()
    return (
        sa.select(face_link.c.other_id)
        .join(first, first.c.id == face_link.c.face_id)
        .join(other, other.c.id == face_link.c.other_id)
        .where(face_link.c.same, first.c.character_id == other.c.character_id)
    )
