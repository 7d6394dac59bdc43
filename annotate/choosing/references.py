"""Questions whether a character's reference is right."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.releasable import may_be_released
from icf.annotate.choosing.shares import Shares
from icf.catalogue import reviews
from icf.catalogue.confirmations import is_confirmed
from icf.catalogue.rows import has_rows
from icf.catalogue.sampling import confirmed_characters
from icf.catalogue.schema import candidate, character, face, question
from icf.codes import Chosen, Verdict


def choose_references(
    connection: sa.Connection, limit: int, shares: Shares
) -> list[Proposal]:
    """References to be confirmed."""
    query = references_to_ask(shares).order_by(character.c.id).limit(limit)
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


def references_to_ask(shares: Shares) -> sa.Select[Any]:
    """Characters whose reference is a kept face that nobody was asked about.

    Without `Shares.confirmed` only those of suspected merges, which would make one
    character of a right reference and a wrong one. A character of which no picture may
    be released, because of its licence, needs no reference either, but for a merge.
    """
    is_suspected = reviews.may_be_merged(character.c.id)
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
    if not shares.confirmed:
        return query.where(is_suspected)
    if shares.licences is None:
        return query
    has_pictures = sa.exists().where(
        candidate.c.character_id == character.c.id,
        may_be_released(candidate.c.image_id, shares),
    )
    return query.where(sa.or_(is_suspected, has_pictures))


def some_unconfirmed(connection: sa.Connection) -> bool:
    """Whether a character has a reference that nobody confirmed."""
    query = sa.select(character.c.id).where(
        character.c.merged_into.is_(None),
        character.c.reference_face_id.is_not(None),
        character.c.id.not_in(confirmed_characters()),
    )
    return has_rows(connection, query)
