"""Suspicions of the filter, as questions that an expert answers.

A suspicion of which nobody asked yet becomes a question at the moment when an expert
answers it, so that looking at one changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.ask import ask_one
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.review.counts import ORDER
from icf.annotate.tasks.base import Lease, Pair
from icf.catalogue import reviews
from icf.catalogue.merges import survivor, survivor_of
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, character, face, question, review
from icf.codes import UNSETTLED, WAITING_REVIEWS, Chosen, Suspicion

#: The path of the batch that experts' questions are in.
PATH = "page/review"


@dataclass(frozen=True)
class Suspected:
    """A suspicion as a question: is this face that character?

    Attributes:
        review_id: the suspicion.
        kind: what is suspected.
        score: how strongly, from 0 to 1.
        pair: the question.
    """

    review_id: int
    kind: Suspicion
    score: float
    pair: Pair


def find_suspicions(
    connection: sa.Connection, limit: int, *, confirmed: bool
) -> list[Suspected]:
    """Read what waits, in the order in which experts are asked.

    Args:
        connection: to the catalogue.
        limit: maximum number, of all kinds together.
        confirmed: only those against references that people confirmed.
    """
    query = reviews.askable(confirmed=confirmed, again=True).limit(limit)
    found = [
        Suspected(
            row.review_id,
            Suspicion[row.kind.upper()],
            row.score,
            Pair(row.face_id, row.character_id, row.reference_face_id),
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda each: ORDER.index(each.kind))


def still_waiting(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of some suspicions that nobody settled since they were read.

    An expert's answer settles one also where the label does not follow yet.
    """
    waiting = sa.select(review.c.id).where(review.c.status.in_(WAITING_REVIEWS))
    found = {row.id for row in by_ids(connection, waiting, review.c.id, ids)}
    about = sa.select(review.c.id, review.c.face_id, review.c.other_face_id)
    rows = list(by_ids(connection, about, review.c.id, sorted(found)))
    faces = {each for row in rows for each in (row.face_id, row.other_face_id) if each}
    said = (
        sa.select(question.c.face_id, answer.c.decides)
        .join(answer, answer.c.question_id == question.c.id)
        .where(answer.c.replaced_at.is_(None), answer.c.waits.is_(sa.true()))
    )
    decided = {
        row.face_id
        for row in by_ids(connection, said, question.c.face_id, sorted(faces))
        if row.decides
    }
    # Within a second it is known what the answer about the face settles.
    return {
        row.id
        for row in rows
        if row.face_id not in decided and row.other_face_id not in decided
    }


def read_pair(connection: sa.Connection, review_id: int) -> Pair | None:
    """What an expert is asked about one suspicion; None: nothing any more."""
    query = reviews.askable(confirmed=False, again=True)
    row = connection.execute(
        query.where(query.selected_columns.review_id == review_id)
    ).first()
    if row is None:
        return None
    return Pair(row.face_id, row.character_id, row.reference_face_id)


def mark_of(pair: Pair) -> str:
    """What a lease keeps of the two faces that an expert is shown.

    A suspicion stays the same one when a reference is replaced or twins turn round.
    """
    shown = f"{pair.face_id} {pair.reference_face_id}"
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


def is_shown(lease: Lease, pair: Pair) -> bool:
    """Whether these are the faces that a lease shows; an earlier version kept none."""
    return lease.grid in (None, mark_of(pair))


def answered_question(connection: sa.Connection, lease: Lease) -> int | None:
    """The question by which an expert settled what was shown; None: by none."""
    about = character.alias("about")
    query = (
        sa.select(
            question.c.id,
            question.c.face_id,
            question.c.character_id,
            question.c.reference_face_id,
        )
        .join(answer, answer.c.question_id == question.c.id)
        .join(character, character.c.id == question.c.character_id)
        .join(review, review.c.id == lease.subject_id)
        .join(
            about,
            about.c.id.in_([review.c.character_id, review.c.other_character_id]),
        )
        .where(
            question.c.face_id.in_([review.c.face_id, review.c.other_face_id]),
            survivor() == survivor(about),
            answer.c.annotator == lease.person.name,
            answer.c.decides.is_(sa.true()),
            answer.c.replaced_at.is_(None),
        )
        .order_by(answer.c.id.desc())
    )
    for key, *faces in connection.execute(query):
        if is_shown(lease, Pair(*faces)):
            return int(key)
    return None


def question_about(
    connection: sa.Connection, run_id: int, pair: Pair, review_id: int
) -> int:
    """The question that settles a suspicion; it is asked if nobody asked it yet.

    Args:
        connection: a write transaction.
        run_id: the run to charge it to.
        pair: what is asked.
        review_id: the suspicion.

    Returns:
        The question's id.
    """
    known = _known_question(connection, pair)
    if known is not None:
        return known
    suspicion = sa.select(review.c.kind, review.c.score)
    row = connection.execute(suspicion.where(review.c.id == review_id)).one()
    own = sa.select(face.c.character_id, face.c.probability)
    shown = connection.execute(own.where(face.c.id == pair.face_id)).one()
    is_own = (
        shown.character_id is not None
        and survivor_of(connection, shown.character_id) == pair.character_id
    )
    proposal = Proposal(
        pair.face_id,
        pair.character_id,
        pair.reference_face_id,
        row.score,
        None,
        Chosen.SUSPICION,
        f"{row.kind} {review_id}",
        # It was chosen for certain, and stands for itself.
        inclusion=1.0 if is_own and shown.probability is not None else None,
        probability=shown.probability if is_own else None,
    )
    return ask_one(connection, run_id, PATH, proposal)


def _known_question(connection: sa.Connection, pair: Pair) -> int | None:
    """A question that shows the same; where there are several, an unsettled one."""
    query = (
        sa.select(question.c.id)
        .join(character, character.c.id == question.c.character_id)
        .where(
            question.c.face_id == pair.face_id,
            question.c.reference_face_id == pair.reference_face_id,
            survivor() == pair.character_id,
        )
        .order_by(question.c.label.in_(UNSETTLED).desc(), question.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()
