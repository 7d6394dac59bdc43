"""How many questions are not asked yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from icf.annotate.choosing.frames import chosen_from, is_follower, pairs_to_ask
from icf.annotate.choosing.references import references_to_ask, some_unconfirmed
from icf.annotate.choosing.shares import Shares
from icf.catalogue.labels.sure_faces import is_accepted, is_sure
from icf.catalogue.rounds.audit_set import is_set_aside
from icf.catalogue.rows import count_rows
from icf.catalogue.sampling import kept_frame


@dataclass(frozen=True)
class Unasked:
    """Questions that were not asked yet.

    Attributes:
        references: about references that nobody has confirmed.
        faces: about kept faces and suspicions.
        waiting: those of the faces that wait until their reference is confirmed.
        sure: kept faces that need none; not among the others.
        followers: kept faces that follow another one of their track, or will;
            likewise.
        needless: other kept faces that no answer is needed about
            (`icf.annotate.choosing.frames`); likewise.
    """

    references: int
    faces: int
    waiting: int
    sure: int = 0
    followers: int = 0
    needless: int = 0

    @property
    def total(self) -> int:
        """All that are to be asked."""
        return self.references + self.faces


def count_unasked(
    connection: sa.Connection,
    shares: Shares = Shares(),  # noqa: B008 - frozen
) -> Unasked:
    """How many questions can be asked, now or when references are confirmed.

    Args:
        connection: to the catalogue.
        shares: what batches are made of.
    """
    sooner = replace(shares, confirmed=False)
    every = now = count_rows(connection, pairs_to_ask(sooner))
    if shares.confirmed and some_unconfirmed(connection):
        now = count_rows(connection, pairs_to_ask(shares))
    kept = kept_frame(confirmed=False)
    sure = followers = 0
    known: sa.ColumnElement[bool] = sa.false()
    if shares.risk:
        known = is_sure(shares.risk)
        if shares.look:
            known = sa.and_(known, sa.not_(is_accepted(shares.risk)))
        sure = count_rows(connection, kept.where(known))
    if shares.follow:
        others = kept.where(sa.not_(known), sa.not_(is_set_aside()))
        followers = count_rows(connection, others.where(is_follower(sooner)))
    may_be = count_rows(connection, chosen_from(sooner))
    needless = count_rows(connection, kept) - may_be - sure - followers
    return Unasked(
        count_rows(connection, references_to_ask(shares)),
        every,
        every - now,
        sure,
        followers,
        max(0, needless),
    )
