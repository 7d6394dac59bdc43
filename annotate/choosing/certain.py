"""The strongest suspicions and the most uncertain faces, chosen with probability 1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from icf.annotate.choosing.frames import chosen_from, suspicions
from icf.annotate.choosing.proposals import Proposal, interleave, proposal_of
from icf.annotate.choosing.shares import Shares
from icf.catalogue.rounds.audit_set import is_set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import face
from icf.codes import Chosen, Suspicion


def choose_certain(
    connection: sa.Connection, limit: int, shares: Shares
) -> list[Proposal]:
    """The strongest suspicions and the most uncertain faces, evenly interleaved."""
    suspicious = _deduplicate(_suspicious(connection, limit, shares))
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
    connection: sa.Connection, limit: int, shares: Shares
) -> Iterator[Proposal]:
    query = suspicions(shares)
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


def _uncertain(connection: sa.Connection, limit: int, shares: Shares) -> list[Proposal]:
    order = sa.func.abs(face.c.probability - 0.5), face.c.id
    frame = chosen_from(shares).where(sa.not_(is_set_aside()))
    rows = connection.execute(frame.order_by(*order).limit(limit))
    sure = 1 - shares.risk if shares.risk and shares.look else math.inf
    return [
        proposal_of(
            row, Chosen.SURE if row.probability >= sure else Chosen.UNCERTAIN, 1.0
        )
        for row in rows
    ]
