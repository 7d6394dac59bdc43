"""Ask a batch of questions, each once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import sqlalchemy as sa

from icf.annotate.batch import Batch
from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.catalogue import ledger, reviews
from icf.catalogue.schema import batch, question
from icf.catalogue.stale_reviews import close_stale
from icf.codes import Chosen, Label

#: The step's name in the ledger.
STEP = "ask"


def ask(
    connection: sa.Connection,
    run_id: int,
    form: str,
    path: str,
    limit: int,
    shares: Shares = Shares(),  # noqa: B008 - frozen
) -> Batch | None:
    """Insert a new batch with its questions, in the caller's transaction.

    Args:
        connection: a write transaction.
        run_id: the run that asks.
        form: the batch's format.
        path: the batch's folder, as returned by `icf.annotate.batch.batch_path`.
        limit: maximum number of questions.
        shares: what the batch is made of.

    Returns:
        The batch; None if nothing is left to ask.
    """
    if connection.dialect.name == "postgresql":
        # Concurrent exports would select the same faces.
        connection.execute(sa.text("LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE"))
    close_stale(connection)
    selected = choose(connection, limit, shares)
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
            "chosen": each.chosen.value,
            "inclusion": each.inclusion,
            "probability": each.probability,
        }
        for each in selected
    ]
    connection.execute(sa.insert(question), questions)
    reviews.follow(connection, _log(connection, run_id, made.id, selected))
    return made


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
            message=_why(each),
        )
        for key, each in zip(ids, selected, strict=True)
    ]
    ledger.append(connection, run_id, decisions)
    return ids


def _why(each: Proposal) -> str | None:
    """The ledger's message: the suspicion, or how it was drawn."""
    if each.chosen in (Chosen.RANDOM, Chosen.DROPPED):
        return f"{each.chosen.meaning}, with probability {each.inclusion:.3g}"
    return each.suspicion
