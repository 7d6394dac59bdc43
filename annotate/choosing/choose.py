"""Choose questions: references, suspicions, uncertain faces, and a part at random.

Faces that were set aside to compare models on (`icf.catalogue.rounds.audit_set`) are
asked about at random only: half of the random part is drawn from them, or more, until
as many are confirmed as a comparison needs. Faces that need no question
(`icf.annotate.choosing.frames`) are not chosen, but drawn like any other; a batch then
has only so many random questions as belong to what was chosen.

A reference that nobody has confirmed comes first, before anything is asked against it
(`annotate.confirm_references`).

The random part makes it possible to say how well the probabilities hold for faces that
nobody was asked about (`icf.catalogue.sampling`). So each face that could be asked
about is chosen with a known probability:

- the strongest suspicions and the most uncertain faces with probability 1;
- a kept face that is not among them with probability m / N, where m of N are drawn;
- likewise a face that follows another one of its track: as many are drawn as are the
  stated share of those that the batch makes;
- likewise a face that identity dropped. A quarter of the random part is drawn from
  these, because nothing else tells how many true faces are lost there.

Questions about another character than the one identity chose for the face have no such
probability. They are chosen for their similarity, and represent themselves only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.certain import choose_certain
from icf.annotate.choosing.draw import draw
from icf.annotate.choosing.frames import chosen_from, is_follower
from icf.annotate.choosing.proposals import Proposal, interleave
from icf.annotate.choosing.references import choose_references
from icf.annotate.choosing.shares import DROPPED_SHARE, Reserved, Shares
from icf.annotate.choosing.tracks import make_room
from icf.catalogue.rounds.audit_set import is_set_aside, set_aside
from icf.catalogue.rows import count_rows, has_rows
from icf.catalogue.sampling import dropped_frame, kept_frame
from icf.catalogue.schema import batch, question
from icf.codes import Chosen


def choose(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    """Choose the questions of the next batch, all kinds evenly interleaved.

    The same catalogue gives the same questions.

    Args:
        connection: to the catalogue.
        limit: maximum number of questions.
        shares: what the batch is made of.
    """
    first = choose_references(connection, limit, shares)
    return [*first, *_choose(connection, limit - len(first), shares)]


def _choose(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    """Choose the questions that compare two faces."""
    seed = str(count_rows(connection, batch))
    frames = _Frames.of(connection, shares)
    audited = count_rows(connection, frames.audit)

    def draw_dropped(number: int) -> list[Proposal]:
        return draw(connection, frames.dropped, (), number, Chosen.DROPPED, seed)

    random = math.ceil(limit * shares.random)
    dropped = draw_dropped(math.ceil(random * DROPPED_SHARE))
    reserved = Reserved.of(limit, random, len(dropped), audited, shares.audit)
    room = limit - reserved.total
    certain = choose_certain(connection, room, shares)
    certain, followers = make_room(connection, certain, room, shares)
    asked = {each.face_id for each in certain if each.inclusion}
    rest = max(0, count_rows(connection, frames.others) - len(asked))
    if shares.risk:
        unsure = _some_unsure(connection, shares)
        reserved = reserved.beside(len(certain), room, unsure=unsure)
        dropped = draw_dropped(reserved.dropped)
    wanted, audit = reserved.others, reserved.audit
    if not shares.risk and len(certain) + followers < room:
        # All were chosen that may be: the others that are left need no question, and
        # what was set aside fills the batch.
        wanted = reserved.beside(len(certain), room, unsure=audited > 0).others
        audit = limit - len(certain) - followers - len(dropped) - min(wanted, rest)
    first = draw(connection, frames.audit, asked, audit, Chosen.RANDOM, seed)
    second = draw(connection, frames.others, asked, wanted, Chosen.RANDOM, seed)
    drawn = interleave(first, second)
    if not certain and not drawn and _dropped_were_asked(connection):
        return []
    if shares.random and (certain or drawn):
        # One stands for all the others at least.
        followers = max(1, followers)
    third = draw(connection, frames.followers, (), followers, Chosen.FOLLOWER, seed)
    made = interleave(certain, interleave(interleave(drawn, third), dropped))
    silent = (audited and not first) or (rest and not second)
    if silent or (not third and has_rows(connection, frames.followers)):
        # The batch says nothing of some of the faces that are left.
        made = [replace(each, inclusion=None) for each in made]
    return made


@dataclass(frozen=True)
class _Frames:
    """Faces that are drawn from at random, each part on its own.

    Attributes:
        audit: kept faces that were set aside.
        followers: kept faces that follow another one of their track, or will.
        others: all other kept faces.
        dropped: faces that identity dropped.
    """

    audit: sa.Select[Any]
    followers: sa.Select[Any]
    others: sa.Select[Any]
    dropped: sa.Select[Any]

    @staticmethod
    def of(connection: sa.Connection, shares: Shares) -> _Frames:
        """Those of a catalogue."""
        kept = kept_frame(confirmed=shares.confirmed)
        is_audit = is_set_aside() if _has_audit_set(connection) else sa.false()
        follows = is_follower(shares) if shares.follow else sa.false()
        return _Frames(
            kept.where(is_audit),
            kept.where(follows),
            kept.where(sa.not_(is_audit), sa.not_(follows)),
            dropped_frame(confirmed=shares.confirmed),
        )


def _has_audit_set(connection: sa.Connection) -> bool:
    return has_rows(connection, set_aside("character"))


def _some_unsure(connection: sa.Connection, shares: Shares) -> bool:
    """Whether a face that was set aside is not asked about, and not sure."""
    if not _has_audit_set(connection):
        return False
    return has_rows(connection, chosen_from(shares).where(is_set_aside()))


def _dropped_were_asked(connection: sa.Connection) -> bool:
    """Whether a batch asked about dropped faces; then they alone are no new batch."""
    query = sa.select(question.c.id).where(question.c.chosen == Chosen.DROPPED.value)
    return has_rows(connection, query)
