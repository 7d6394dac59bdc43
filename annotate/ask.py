"""Choose what to ask people: suspicions and the most uncertain faces, each once."""

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
class Choice:
    """A question that can be asked, and why it is.

    Attributes:
        value: how probable it is that the face is the character; of a suspicion, how
            strong that is.
        model: the embedder that says so.
        because: the suspicion that it is to settle, in words.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    value: float
    model: str | None
    because: str | None = None


def count_unasked(connection: sa.Connection) -> int:
    """How many questions could be asked now."""
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
    """Enter a new batch with its questions, inside the caller's transaction.

    Args:
        connection: a transaction that writes.
        run_id: the run that asks.
        form: the batch's format.
        path: the batch's folder, as `icf.annotate.batch.batch_path` writes it.
        limit: questions to ask at most.
        review_share: the share of them that is kept for suspicions, from 0 to 1; what
            either kind does not fill the other may.

    Returns:
        None where nothing is left to ask.
    """
    if connection.dialect.name == "postgresql":
        # Two exports at once would choose the same faces.
        connection.execute(sa.text("LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"))
    chosen = _choose(connection, limit, review_share)
    if not chosen:
        return None
    made = Batch(_new_id(connection), form, path, len(chosen))
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
        for each in chosen
    ]
    connection.execute(sa.insert(question), questions)
    reviews.follow(connection, _note(connection, run_id, made.id, chosen))
    return made


def _choose(connection: sa.Connection, limit: int, review_share: float) -> list[Choice]:
    """Take both kinds by their share, mixed evenly."""
    suspicious = _once_each(_suspicious(connection, limit))
    pairs = {(each.face_id, each.character_id) for each in suspicious}
    # Some of the uncertain may be suspicious as well.
    uncertain = [
        each
        for each in _uncertain(connection, limit + len(suspicious))
        if (each.face_id, each.character_id) not in pairs
    ]
    share = min(math.ceil(limit * review_share), len(suspicious))
    number = max(share, min(len(suspicious), limit - len(uncertain)))
    return list(mixed(suspicious[:number], uncertain[: limit - number]))


def mixed(first: Sequence[Choice], second: Sequence[Choice]) -> Iterator[Choice]:
    """Mix two lists evenly, each in its own order, so that any part holds both."""
    places = [
        ((place + 0.5) / len(some), number, each)
        for number, some in enumerate((first, second))
        for place, each in enumerate(some)
    ]
    places.sort(key=lambda entry: entry[:2])
    return (each for _, _, each in places)


def _suspicious(connection: sa.Connection, limit: int) -> Iterator[Choice]:
    for row in connection.execute(reviews.askable().limit(limit)):
        yield Choice(
            row.face_id,
            row.character_id,
            row.reference_face_id,
            row.score,
            None,
            f"{row.kind} {row.review_id}",
        )


def _uncertain(connection: sa.Connection, limit: int) -> Iterator[Choice]:
    for row in connection.execute(_unasked().limit(limit)):
        yield Choice(
            row.id,
            row.character_id,
            row.reference_face_id,
            row.probability,
            row.embedder,
        )


def _once_each(choices: Iterator[Choice]) -> list[Choice]:
    """Two suspicions may come to the same question."""
    once: dict[tuple[int, int], Choice] = {}
    for each in choices:
        once.setdefault((each.face_id, each.character_id), each)
    return list(once.values())


def _unasked() -> sa.Select[Any]:
    """Kept faces that were never held against their character's reference.

    Duplicates are out already, so each stands for its whole group. Nothing is asked of
    the reference itself.
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
    """A number to speak of, and letters that no other workspace's batch has."""
    count = connection.execute(sa.select(sa.func.count(batch.c.id))).scalar_one()
    return f"b{count + 1}-{secrets.token_hex(3)}"


def _note(
    connection: sa.Connection, run_id: int, batch_id: str, chosen: Sequence[Choice]
) -> list[int]:
    """Write to the ledger why each question is asked; return the questions' ids."""
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
            message=each.because,
        )
        for key, each in zip(ids, chosen, strict=True)
    ]
    ledger.append(connection, run_id, decisions)
    return ids
