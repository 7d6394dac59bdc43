"""Choose what to ask people: the most uncertain faces, each question once."""

from __future__ import annotations

import secrets
import time
from typing import Any

import sqlalchemy as sa

from icf.annotate.batch import Batch
from icf.catalogue import ledger
from icf.catalogue.schema import batch, character, face, question
from icf.codes import Label, Verdict

#: The step's name in the ledger.
STEP = "ask"


def count_unasked(connection: sa.Connection) -> int:
    """How many questions could be asked now."""
    query = sa.select(sa.func.count()).select_from(_unasked().subquery())
    return int(connection.execute(query).scalar_one())


def ask(
    connection: sa.Connection, run_id: int, form: str, path: str, limit: int
) -> Batch | None:
    """Enter a new batch with its questions, inside the caller's transaction.

    Args:
        connection: a transaction that writes.
        run_id: the run that asks.
        form: the batch's format.
        path: the batch's folder, as `icf.annotate.batch.batch_path` writes it.
        limit: questions to ask at most.

    Returns:
        None where nothing is left to ask.
    """
    if connection.dialect.name == "postgresql":
        # Two exports at once would choose the same faces.
        connection.execute(sa.text("LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"))
    rows = connection.execute(_unasked().limit(limit)).all()
    if not rows:
        return None
    made = Batch(_new_id(connection), form, path, len(rows))
    now = time.time()
    connection.execute(sa.insert(batch).values(**vars(made), created_at=now))
    questions = [
        {
            "face_id": row.id,
            "character_id": row.character_id,
            "reference_face_id": row.reference_face_id,
            "batch_id": made.id,
            "label": Label.OPEN.value,
            "asked_at": now,
        }
        for row in rows
    ]
    connection.execute(sa.insert(question), questions)
    _note(connection, run_id, made.id)
    return made


def _unasked() -> sa.Select[Any]:
    """Kept faces that were never held against their character's reference.

    Duplicates are out already, so each stands for its whole group. Nothing is asked of
    the reference itself.
    """
    asked = sa.exists().where(
        question.c.face_id == face.c.id,
        question.c.character_id == face.c.character_id,
    )
    return (
        sa.select(face.c.id, face.c.character_id, character.c.reference_face_id)
        .join(character, character.c.id == face.c.character_id)
        .where(
            face.c.verdict == Verdict.KEPT.value,
            face.c.awaits.is_(None),
            face.c.probability.is_not(None),
            character.c.reference_face_id.is_not(None),
            character.c.reference_face_id != face.c.id,
            ~asked,
        )
        .order_by(sa.func.abs(face.c.probability - 0.5), face.c.id)
    )


def _new_id(connection: sa.Connection) -> str:
    """A number to speak of, and letters that no other workspace's batch has."""
    count = connection.execute(sa.select(sa.func.count(batch.c.id))).scalar_one()
    return f"b{count + 1}-{secrets.token_hex(3)}"


def _note(connection: sa.Connection, run_id: int, batch_id: str) -> None:
    """Write to the ledger how sure the machine was when it asked."""
    query = (
        sa.select(question.c.id, face.c.probability, face.c.embedder)
        .join(face, face.c.id == question.c.face_id)
        .where(question.c.batch_id == batch_id)
        .order_by(question.c.id)
    )
    decisions = [
        ledger.Decision(
            subject="question",
            subject_id=row.id,
            step=STEP,
            verdict=Label.OPEN.value,
            reason=Label.OPEN.value,
            value=row.probability,
            model=row.embedder,
        )
        for row in connection.execute(query)
    ]
    ledger.append(connection, run_id, decisions)
