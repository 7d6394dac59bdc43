"""Choose questions: references, suspicions, uncertain faces, and a part at random.

Faces that were set aside to compare models on (`icf.catalogue.rounds.audit_set`) are
asked about at random only: half of the random part is drawn from them, or more, until
as many are confirmed as a comparison needs. Faces of which the model is sure
(`icf.catalogue.labels.sure_faces`) are not chosen, but drawn like any other; a batch
then has only so many random questions as belong to what was chosen.

A reference that nobody has confirmed comes first, before anything is asked against it
(`annotate.confirm_references`).

The random part makes it possible to say how well the probabilities hold for faces that
nobody was asked about (`icf.catalogue.sampling`). So each face that could be asked
about is chosen with a known probability:

- the strongest suspicions and the most uncertain faces with probability 1;
- a kept face that is not among them with probability m / N, where m of N are drawn;
- likewise a face that identity dropped. A quarter of the random part is drawn from
  these, because nothing else tells how many true faces are lost there.

Questions about another character than the one identity chose for the face have no such
probability. They are chosen for their similarity, and represent themselves only.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from icf.catalogue import reviews
from icf.catalogue.confirmations import is_confirmed
from icf.catalogue.labels.sure_faces import is_sure
from icf.catalogue.rounds.audit_set import is_set_aside, set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.sampling import confirmed_characters, dropped_frame, kept_frame
from icf.catalogue.schema import batch, character, face, question
from icf.codes import Chosen, Suspicion, Verdict

#: The share of the random part for faces that identity dropped.
DROPPED_SHARE = 1 / 4
#: The share of the random questions about kept faces for those that were set aside.
AUDIT_SHARE = 1 / 2


@dataclass(frozen=True)
class Shares:
    """What a batch is made of, as shares from 0 to 1.

    Attributes:
        random: drawn at random; if there are too few faces, the others fill the batch.
        review: of the rest, reserved for suspicions. If there are too few questions of
            one kind, the other kind fills the batch.
        confirmed: ask only against references that people confirmed.
        audit: questions about faces that were set aside, at least, up to half of the
            batch; they take the place of chosen ones.
        risk: a kept face is not chosen if it is its character, or is not, with a
            probability of one less this; 0: every face may be.
    """

    random: float = 0.3
    review: float = 0.5
    confirmed: bool = True
    audit: int = 0
    risk: float = 0.0


@dataclass(frozen=True)
class Proposal:
    """A question that can be asked, and the reason.

    Attributes:
        value: the probability that the face is the character, or the score of the
            suspicion.
        model: the embedder behind the probability.
        suspicion: kind and id of the suspicion to settle, if any.
        chosen: how it was chosen.
        inclusion: with what probability; None if it is about another character than
            identity's choice.
        probability: that the face is the character; None likewise.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    value: float
    model: str | None
    chosen: Chosen
    suspicion: str | None = None
    inclusion: float | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Unasked:
    """Questions that were not asked yet.

    Attributes:
        references: about references that nobody has confirmed.
        faces: about kept faces and suspicions.
        waiting: those of the faces that wait until their reference is confirmed.
        sure: kept faces that need none; not among the others.
    """

    references: int
    faces: int
    waiting: int
    sure: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.references + self.faces


def count_unasked(
    connection: sa.Connection, *, confirmed: bool = True, risk: float = 0.0
) -> Unasked:
    """How many questions can be asked, now or when references are confirmed.

    Args:
        connection: to the catalogue.
        confirmed: ask only against references that people confirmed.
        risk: of `Shares`.
    """
    references = _count(connection, _references(confirmed=confirmed))
    every = now = _count(connection, _pairs_to_ask(confirmed=False, risk=risk))
    if confirmed and _some_unconfirmed(connection):
        now = _count(connection, _pairs_to_ask(confirmed=True, risk=risk))
    sure = _count(connection, kept_frame().where(is_sure(risk))) if risk else 0
    return Unasked(references, every, every - now, sure)


def _some_unconfirmed(connection: sa.Connection) -> bool:
    query = sa.select(character.c.id).where(
        character.c.merged_into.is_(None),
        character.c.reference_face_id.is_not(None),
        character.c.id.not_in(confirmed_characters()),
    )
    return connection.execute(query.limit(1)).first() is not None


def _pairs_to_ask(*, confirmed: bool, risk: float) -> sa.CompoundSelect[Any]:
    suspicious = reviews.askable(confirmed=confirmed).subquery()
    return sa.union(
        sa.select(suspicious.c.face_id, suspicious.c.character_id),
        _unsure_frame(confirmed=confirmed, risk=risk).with_only_columns(
            face.c.id, face.c.character_id
        ),
    )


def _count(
    connection: sa.Connection, query: sa.Select[Any] | sa.CompoundSelect[Any]
) -> int:
    count = sa.select(sa.func.count()).select_from(query.subquery())
    return int(connection.execute(count).scalar_one())


def choose(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    """Choose the questions of the next batch, all kinds evenly interleaved.

    The same catalogue gives the same questions.

    Args:
        connection: to the catalogue.
        limit: maximum number of questions.
        shares: what the batch is made of.
    """
    first = _unconfirmed(connection, limit, confirmed=shares.confirmed)
    return [*first, *_choose(connection, limit - len(first), shares)]


def _choose(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    """Choose the questions that compare two faces."""
    seed = str(connection.execute(sa.select(sa.func.count(batch.c.id))).scalar_one())
    confirmed = shares.confirmed
    is_audit = is_set_aside() if _has_audit_set(connection) else sa.false()
    kept = kept_frame(confirmed=confirmed)
    audited = _count(connection, kept.where(is_audit))
    frame = dropped_frame(confirmed=confirmed)

    def draw_dropped(number: int) -> list[Proposal]:
        return draw(connection, frame, (), number, Chosen.DROPPED, seed)

    random = math.ceil(limit * shares.random)
    dropped = draw_dropped(math.ceil(random * DROPPED_SHARE))
    reserved = _Reserved.of(limit, random, len(dropped), audited, shares.audit)
    room = limit - reserved.total
    certain = _certain(connection, room, shares)
    if shares.risk:
        unsure = _some_unsure(connection, is_audit, shares)
        reserved = reserved.beside(len(certain), room, unsure=unsure)
        dropped = draw_dropped(reserved.dropped)
    asked = {each.face_id for each in certain if each.inclusion}
    others = kept.where(sa.not_(is_audit))
    rest = max(0, _count(connection, others) - len(asked))
    wanted, audit = reserved.others, reserved.audit
    if not shares.risk:
        # What is left of the batch is filled, first with others.
        wanted = limit - len(certain) - len(dropped) - audit
        audit += max(0, wanted - rest)
    first = draw(connection, kept.where(is_audit), asked, audit, Chosen.RANDOM, seed)
    second = draw(connection, others, asked, wanted, Chosen.RANDOM, seed)
    drawn = interleave(first, second)
    if not certain and not drawn and _dropped_were_asked(connection):
        return []
    made = interleave(certain, interleave(drawn, dropped))
    if (audited and not first) or (rest and not second):
        # The batch says nothing of some of the faces that are left.
        made = [replace(each, inclusion=None) for each in made]
    return made


@dataclass(frozen=True)
class _Reserved:
    """The random questions of a batch.

    Attributes:
        dropped: about faces that identity dropped.
        audit: about kept faces that were set aside.
        others: about other kept faces.
    """

    dropped: int
    audit: int
    others: int

    @property
    def total(self) -> int:
        return self.dropped + self.audit + self.others

    @staticmethod
    def of(
        limit: int, random: int, dropped: int, audited: int, audit: int
    ) -> _Reserved:
        """Those of a full batch.

        Args:
            limit: its questions.
            random: how many of them are drawn at random.
            dropped: how many of those are about dropped faces.
            audited: how many faces that were set aside can be asked about.
            audit: how many of them are wanted at least.
        """
        kept = random - dropped
        half = min(audited, math.ceil(kept * AUDIT_SHARE))
        most = max(half, min(audited, audit, limit // 2))
        return _Reserved(
            dropped, most, max(0, min(kept - half, limit - dropped - most))
        )

    def beside(self, chosen: int, room: int, *, unsure: bool) -> _Reserved:
        """Those that belong to so many chosen questions, of as many as had room.

        Of what was set aside all of them are asked, as long as there are faces among it
        of which the model is not sure; and one of the others stands for them.
        """
        part = min(1.0, chosen / max(1, room))
        return _Reserved(
            math.ceil(self.dropped * part),
            self.audit if unsure else math.ceil(self.audit * part),
            max(math.ceil(self.others * part), min(self.others, int(unsure))),
        )


def _has_audit_set(connection: sa.Connection) -> bool:
    return connection.execute(set_aside("character").limit(1)).first() is not None


def _some_unsure(
    connection: sa.Connection, is_audit: sa.ColumnElement[bool], shares: Shares
) -> bool:
    """Whether a face that was set aside is not asked about, and not sure."""
    frame = _unsure_frame(confirmed=shares.confirmed, risk=shares.risk)
    return connection.execute(frame.where(is_audit).limit(1)).first() is not None


def interleave(first: Sequence[Proposal], second: Sequence[Proposal]) -> list[Proposal]:
    """Mix two lists evenly, keeping the order of each."""
    positions = [
        ((index + 0.5) / len(some), number, each)
        for number, some in enumerate((first, second))
        for index, each in enumerate(some)
    ]
    positions.sort(key=lambda entry: entry[:2])
    return [each for _, _, each in positions]


def _unconfirmed(
    connection: sa.Connection, limit: int, *, confirmed: bool
) -> list[Proposal]:
    """References to be confirmed."""
    query = _references(confirmed=confirmed).order_by(character.c.id).limit(limit)
    return [
        Proposal(
            row.reference_face_id,
            row.id,
            row.reference_face_id,
            row.probability or 0.0,
            # It says nothing about the embedder: no other face is compared.
            None,
            Chosen.REFERENCE,
        )
        for row in connection.execute(query)
    ]


def _references(*, confirmed: bool) -> sa.Select[Any]:
    """Characters whose reference is a kept face that nobody was asked about.

    Args:
        confirmed: all of them; else only those of suspected merges, which would make
            one character of a right reference and a wrong one.
    """
    query = (
        sa.select(
            character.c.id,
            character.c.reference_face_id,
            face.c.probability,
        )
        .join(face, face.c.id == character.c.reference_face_id)
        .where(
            character.c.merged_into.is_(None),
            face.c.awaits.is_(None),
            face.c.verdict == Verdict.KEPT.value,
            sa.not_(is_confirmed(face.c.id, character.c.id)),
            ~sa.exists().where(
                question.c.face_id == face.c.id,
                question.c.character_id == character.c.id,
                question.c.reference_face_id == face.c.id,
            ),
        )
    )
    return query if confirmed else query.where(reviews.may_be_merged(character.c.id))


def _certain(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    """The strongest suspicions and the most uncertain faces, evenly interleaved."""
    confirmed = shares.confirmed
    suspicious = _deduplicate(_suspicious(connection, limit, confirmed=confirmed))
    pairs = {(each.face_id, each.character_id) for each in suspicious}
    # Some of the uncertain faces may also be suspicious.
    uncertain = [
        each
        for each in _uncertain(connection, limit + len(suspicious), shares)
        if (each.face_id, each.character_id) not in pairs
    ]
    share = min(math.ceil(limit * shares.review), len(suspicious))
    number = max(share, min(len(suspicious), limit - len(uncertain)))
    chosen = _with_probability(connection, suspicious[:number])
    return interleave(chosen, uncertain[: limit - number])


def _suspicious(
    connection: sa.Connection, limit: int, *, confirmed: bool
) -> Iterator[Proposal]:
    query = reviews.askable(confirmed=confirmed)
    # A suspected merge is about references.
    is_merge = query.selected_columns.kind == Suspicion.MERGE.value
    query = query.where(sa.or_(is_merge, sa.not_(is_set_aside()))).limit(limit)
    for row in connection.execute(query):
        yield Proposal(
            row.face_id,
            row.character_id,
            row.reference_face_id,
            row.score,
            None,
            Chosen.SUSPICION,
            f"{row.kind} {row.review_id}",
        )


def _deduplicate(proposals: Iterator[Proposal]) -> list[Proposal]:
    """Keep the first of several suspicions that lead to the same question."""
    unique: dict[tuple[int, int], Proposal] = {}
    for each in proposals:
        unique.setdefault((each.face_id, each.character_id), each)
    return list(unique.values())


def _with_probability(
    connection: sa.Connection, suspicious: Sequence[Proposal]
) -> list[Proposal]:
    """Add the probabilities to suspicions about the character identity chose."""
    ids = [each.face_id for each in suspicious]
    own = {
        (row.id, row.character_id): row.probability
        for row in by_ids(connection, kept_frame(confirmed=False), face.c.id, ids)
    }
    pairs = [own.get((each.face_id, each.character_id)) for each in suspicious]
    return [
        each if known is None else replace(each, inclusion=1.0, probability=known)
        for each, known in zip(suspicious, pairs, strict=True)
    ]


def _unsure_frame(*, confirmed: bool, risk: float) -> sa.Select[Any]:
    """Kept faces that nobody was asked about and of which the model is not sure."""
    frame = kept_frame(confirmed=confirmed)
    return frame.where(sa.not_(is_sure(risk))) if risk else frame


def _uncertain(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    order = sa.func.abs(face.c.probability - 0.5), face.c.id
    frame = _unsure_frame(confirmed=shares.confirmed, risk=shares.risk)
    frame = frame.where(sa.not_(is_set_aside()))
    rows = connection.execute(frame.order_by(*order).limit(limit))
    return [_proposal(row, Chosen.UNCERTAIN, 1.0) for row in rows]


def draw(
    connection: sa.Connection,
    frame: sa.Select[Any],
    without: Iterable[int],
    number: int,
    chosen: Chosen,
    seed: str,
) -> list[Proposal]:
    """Draw faces at random, each with the same probability.

    They are those with the smallest hashes of their pixels and the seed. So another
    catalogue with the same pictures draws the same faces.

    Args:
        connection: to the catalogue.
        frame: the faces to draw from.
        without: ids of faces that are left out of it.
        number: how many to draw, at most.
        chosen: how they are marked.
        seed: another one draws other faces.
    """
    if number <= 0:
        return []
    left_out = set(without)
    keys = frame.with_only_columns(face.c.id, face.c.pixel_hash).order_by(face.c.id)
    rows = [row for row in connection.execute(keys) if row.id not in left_out]

    def place(row: Any) -> bytes:
        return hashlib.sha256(f"{seed} {row.pixel_hash}".encode()).digest()

    drawn = [row.id for row in heapq.nsmallest(number, rows, key=place)]
    inclusion = len(drawn) / len(rows) if rows else 1.0
    found = {row.id: row for row in by_ids(connection, frame, face.c.id, drawn)}
    return [_proposal(found[each], chosen, inclusion) for each in drawn]


def _proposal(row: sa.Row[Any], chosen: Chosen, inclusion: float) -> Proposal:
    return Proposal(
        row.id,
        row.character_id,
        row.reference_face_id,
        row.probability,
        row.embedder,
        chosen,
        inclusion=inclusion,
        probability=row.probability,
    )


def _dropped_were_asked(connection: sa.Connection) -> bool:
    """Whether a batch asked about dropped faces; then they alone are no new batch."""
    query = sa.select(question.c.id).where(question.c.chosen == Chosen.DROPPED.value)
    return connection.execute(query.limit(1)).first() is not None
