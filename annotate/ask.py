"""Select questions: suspicions and the most uncertain faces, each asked once."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.batch import Batch
from icf.catalogue import ledger, reviews
from icf.catalogue.schema import batch, character, face, question
from icf.codes import Label, Verdict

#: The step's name in the ledger.
STEP = "ask"


@dataclass(frozen=True)
class Proposal:
    """A question that can be asked, and the reason.

    Attributes:
        value: the probability that the face is the character, or the score of the
            suspicion.
        model: the embedder behind the probability.
        suspicion: kind and id of the suspicion to settle, if any.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    value: float
    model: str | None
    suspicion: str | None = None


def count_unasked(connection: sa.Connection) -> int:
    """How many questions can be asked now."""
    suspicious = reviews.askable().subquery()
    pairs = sa.union(
        sa.select(suspicious.c.face_id, suspicious.c.character_id),
        _unasked().with_only_columns(face.c.id, face.c.character_id).order_by(None),
    )
    query = sa.select(sa.func.count()).select_from(pairs.subquery())
    return int(connection.execute(query).scalar_one())


def ask(
    connection: sa.Connection,
    run_id: int,
    form: str,
    path: str,
    limit: int,
    review_share: float = 0.5,
) -> Batch | None:
    """Insert a new batch with its questions, in the caller's transaction.

    Args:
        connection: a write transaction.
        run_id: the run that asks.
        form: the batch's format.
        path: the batch's folder, as returned by `icf.annotate.batch.batch_path`.
        limit: maximum number of questions.
        review_share: the share reserved for suspicions, from 0 to 1. If there are too
            few questions of one kind, the other kind fills the batch.

    Returns:
        The batch; None if nothing is left to ask.
    """
    if connection.dialect.name == "postgresql":
        # Concurrent exports would select the same faces.
        connection.execute(sa.text("LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"))
    selected = _select(connection, limit, review_share)
    if not selected:
        return None
    made = Batch(_new_id(connection), form, path, len(selected))
    now = time.time()
    connection.execute(sa.insert(batch).values(**vars(made), created_at=now))
    questions = [
        {
            "face_id": each.face_id,
            "character_id": each.character_id,
            "reference_face_id": each.reference_face_id,
            "batch_id": made.id,
            "label": Label.OPEN.value,
            "asked_at": now,
        }
        for each in selected
    ]
    connection.execute(sa.insert(question), questions)
    reviews.follow(connection, _log(connection, run_id, made.id, selected))
    return made


def _select(
    connection: sa.Connection, limit: int, review_share: float
) -> list[Proposal]:
    """Select both kinds by their share, evenly interleaved."""
    suspicious = _deduplicate(_suspicious(connection, limit))
    pairs = {(each.face_id, each.character_id) for each in suspicious}
    # Some of the uncertain faces may also be suspicious.
    uncertain = [
        each
        for each in _uncertain(connection, limit + len(suspicious))
        if (each.face_id, each.character_id) not in pairs
    ]
    share = min(math.ceil(limit * review_share), len(suspicious))
    number = max(share, min(len(suspicious), limit - len(uncertain)))
    return interleave(suspicious[:number], uncertain[: limit - number])


def interleave(first: Sequence[Proposal], second: Sequence[Proposal]) -> list[Proposal]:
    """Mix two lists evenly, keeping the order of each."""
    positions = [
        ((index + 0.5) / len(some), number, each)
        for number, some in enumerate((first, second))
        for index, each in enumerate(some)
    ]
    positions.sort(key=lambda entry: entry[:2])
    return [each for _, _, each in positions]


def _suspicious(connection: sa.Connection, limit: int) -> Iterator[Proposal]:
    for row in connection.execute(reviews.askable().limit(limit)):
        yield Proposal(
            row.face_id,
            row.character_id,
            row.reference_face_id,
            row.score,
            None,
            f"{row.kind} {row.review_id}",
        )


def _uncertain(connection: sa.Connection, limit: int) -> Iterator[Proposal]:
    for row in connection.execute(_unasked().limit(limit)):
        yield Proposal(
            row.id,
            row.character_id,
            row.reference_face_id,
            row.probability,
            row.embedder,
        )


def _deduplicate(proposals: Iterator[Proposal]) -> list[Proposal]:
    """Keep the first of several suspicions that lead to the same question."""
    unique: dict[tuple[int, int], Proposal] = {}
    for each in proposals:
        unique.setdefault((each.face_id, each.character_id), each)
    return list(unique.values())


def _unasked() -> sa.Select[Any]:
    """Kept faces that were never compared with their character's reference.

    Duplicates are dropped already, so each face represents its whole group. References
    themselves are not asked about.
    """
    return (
        sa.select(
            face.c.id,
            face.c.character_id,
            character.c.reference_face_id,
            face.c.probability,
            face.c.embedder,
        )
        .join(character, character.c.id == face.c.character_id)
        .where(
            face.c.verdict == Verdict.KEPT.value,
            face.c.awaits.is_(None),
            face.c.probability.is_not(None),
            character.c.merged_into.is_(None),
            character.c.reference_face_id.is_not(None),
            character.c.reference_face_id != face.c.id,
            ~reviews.asked_before(face.c.id, character.c.id),
        )
        .order_by(sa.func.abs(face.c.probability - 0.5), face.c.id)
    )


def _new_id(connection: sa.Connection) -> str:
    """A readable number, with a random suffix that is unique across workspaces."""
    count = connection.execute(sa.select(sa.func.count(batch.c.id))).scalar_one()
    return f"b{count + 1}-{secrets.token_hex(3)}"


def _log(
    connection: sa.Connection, run_id: int, batch_id: str, selected: Sequence[Proposal]
) -> list[int]:
    """Write to the ledger why each question is asked; return the question ids."""
    query = sa.select(question.c.id).where(question.c.batch_id == batch_id)
    ids = list(connection.execute(query.order_by(question.c.id)).scalars())
    decisions = [
        ledger.Decision(
            subject="question",
            subject_id=key,
            step=STEP,
            verdict=Label.OPEN.value,
            reason=Label.OPEN.value,
            value=each.value,
            model=each.model,
            message=each.suspicion,
        )
        for key, each in zip(ids, selected, strict=True)
    ]
    ledger.append(connection, run_id, decisions)
    return ids
