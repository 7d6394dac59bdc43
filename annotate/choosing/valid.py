"""Which questions that were chosen a moment ago can be asked yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.frames import suspicions
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.references import references_to_ask
from icf.annotate.choosing.shares import Shares
from icf.catalogue.rows import by_ids
from icf.catalogue.sampling import dropped_frame, kept_frame
from icf.catalogue.schema import character, face
from icf.codes import Chosen

#: What a question asks, and the probability that it was chosen by.
_Key = tuple[int, int, int, float | None]


def still_valid(
    connection: sa.Connection, proposals: Sequence[Proposal], shares: Shares
) -> list[Proposal]:
    """Those whose face and reference are as they were, in the same order.

    One that became needless meanwhile, because of what people said of another face,
    stays.

    Args:
        connection: to the catalogue, in which nobody has asked since they were chosen.
        proposals: as `icf.annotate.choosing.choose` gives them.
        shares: what they were chosen by.
    """
    valid = {
        *_of_frame(connection, kept_frame(confirmed=shares.confirmed), proposals),
        *_of_frame(connection, dropped_frame(confirmed=shares.confirmed), proposals),
        *_references(connection, proposals, shares),
        *_suspicions(connection, proposals, shares),
    }
    return [each for each in proposals if _key(each) in valid]


def _key(of: Proposal) -> _Key:
    is_compared = of.chosen not in (Chosen.REFERENCE, Chosen.SUSPICION)
    probability = of.probability if is_compared else None
    return of.face_id, of.character_id, of.reference_face_id, probability


def _of_frame(
    connection: sa.Connection, frame: sa.Select[Any], proposals: Sequence[Proposal]
) -> Iterator[_Key]:
    ids = sorted({each.face_id for each in proposals})
    for row in by_ids(connection, frame, face.c.id, ids):
        yield row.id, row.character_id, row.reference_face_id, row.probability


def _references(
    connection: sa.Connection, proposals: Sequence[Proposal], shares: Shares
) -> Iterator[_Key]:
    kind = Chosen.REFERENCE
    ids = sorted({each.character_id for each in proposals if each.chosen is kind})
    for row in by_ids(connection, references_to_ask(shares), character.c.id, ids):
        yield row.reference_face_id, row.id, row.reference_face_id, None


def _suspicions(
    connection: sa.Connection, proposals: Sequence[Proposal], shares: Shares
) -> Iterator[_Key]:
    query = suspicions(shares).order_by(None)
    # The kind, and the number of the review.
    named = [each.suspicion for each in proposals if each.suspicion is not None]
    ids = sorted({int(each.rpartition(" ")[2]) for each in named})
    for row in by_ids(connection, query, query.selected_columns.review_id, ids):
        yield row.face_id, row.character_id, row.reference_face_id, None
