"""Ask a batch of questions, each once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from icf.annotate.batch import Batch, find_batch
from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.valid import still_valid
from icf.catalogue import ledger, reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows, lock_table
from icf.catalogue.schema import batch, question
from icf.catalogue.stale_reviews import close_stale
from icf.codes import Chosen, Label

#: The step's name in the ledger.
STEP = "ask"
#: The format of a batch that is asked on the page, and has no folder.
PAGE = "page"

_DRAWN = (Chosen.RANDOM, Chosen.DROPPED, Chosen.FOLLOWER)


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
        path: the batch's folder, as `Workspace.stored_path` gives it.
        limit: maximum number of questions.
        shares: what the batch is made of.

    Returns:
        The batch; None if nothing is left to ask.
    """
    lock_table(connection, question)  # who asks meanwhile would ask the same
    close_stale(connection)
    return _ask(connection, run_id, form, path, choose(connection, limit, shares))


def ask_beside_others(
    catalogue: Catalogue,
    run_id: int,
    form: str,
    path: str,
    limit: int,
    shares_of: Callable[[sa.Connection], Shares],
) -> Batch | None:
    """Do the same as `ask`, in transactions of its own: others write while it chooses.

    That takes seconds where there are hundreds of thousands of faces, and answers would
    wait for it.

    Args:
        catalogue: whose faces are asked about.
        run_id: the run that asks.
        form: the batch's format.
        path: the batch's folder.
        limit: maximum number of questions.
        shares_of: what the batch is made of, as the catalogue is when it is chosen.
    """
    with catalogue.write() as connection:
        close_stale(connection)
    with catalogue.read() as connection:
        shares = shares_of(connection)
        newest = _newest(connection)
        chosen = choose(connection, limit, shares)
    with catalogue.write() as connection:
        lock_table(connection, question)
        close_stale(connection)
        if _newest(connection) == newest:
            valid = still_valid(connection, chosen, shares)
            if valid or not chosen:
                return _ask(connection, run_id, form, path, valid)
        return ask(connection, run_id, form, path, limit, shares_of(connection))


def _newest(connection: sa.Connection) -> int:
    """The newest question; who asks adds another."""
    return connection.execute(sa.select(sa.func.max(question.c.id))).scalar() or 0


def _ask(
    connection: sa.Connection,
    run_id: int,
    form: str,
    path: str,
    selected: Sequence[Proposal],
) -> Batch | None:
    """Insert a batch of these questions; None if there are none."""
    if not selected:
        return None
    made = Batch(_new_id(connection), form, path, len(selected))
    now = time.time()
    connection.execute(sa.insert(batch).values(**vars(made), created_at=now))
    _insert(connection, run_id, made.id, selected)
    return made


def ask_one(
    connection: sa.Connection, run_id: int, path: str, proposal: Proposal
) -> int:
    """Ask one more question of a batch of the page, in the caller's transaction.

    Args:
        connection: a write transaction.
        run_id: the run that asks.
        path: names the batch, which has no folder; its first question makes it.
        proposal: what is asked; nobody was asked the same before.

    Returns:
        The question's id.
    """
    lock_table(connection, question)  # who asks meanwhile would ask the same
    found = find_batch(connection, path)
    if found is None:
        found = Batch(_new_id(connection), PAGE, path, 0)
        values = {**vars(found), "created_at": time.time()}
        connection.execute(sa.insert(batch).values(**values))
    more = sa.update(batch).where(batch.c.id == found.id)
    connection.execute(more.values(questions=batch.c.questions + 1))
    [made] = _insert(connection, run_id, found.id, [proposal])
    return made


def _insert(
    connection: sa.Connection, run_id: int, batch_id: str, selected: Sequence[Proposal]
) -> list[int]:
    """Insert questions, with the reasons in the ledger; return their ids."""
    now = time.time()
    last = _newest(connection)
    questions = [
        {
            "face_id": each.face_id,
            "character_id": each.character_id,
            "reference_face_id": each.reference_face_id,
            "batch_id": batch_id,
            "label": Label.OPEN.value,
            "asked_at": now,
            "chosen": each.chosen.value,
            "inclusion": each.inclusion,
            "probability": each.probability,
        }
        for each in selected
    ]
    connection.execute(sa.insert(question), questions)
    query = sa.select(question.c.id).where(
        question.c.batch_id == batch_id, question.c.id > last
    )
    ids = list(connection.execute(query.order_by(question.c.id)).scalars())
    _log(connection, run_id, ids, selected)
    reviews.follow(connection, ids)
    return ids


def _new_id(connection: sa.Connection) -> str:
    """A readable number, with a random suffix that is unique across workspaces."""
    return f"b{count_rows(connection, batch) + 1}-{secrets.token_hex(3)}"


def _log(
    connection: sa.Connection,
    run_id: int,
    ids: Sequence[int],
    selected: Sequence[Proposal],
) -> None:
    """Write to the ledger why each question is asked."""
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


def _why(each: Proposal) -> str | None:
    """The ledger's message: the suspicion, or how it was drawn."""
    if each.chosen in _DRAWN and each.inclusion is not None:
        return f"{each.chosen.meaning}, with probability {each.inclusion:.3g}"
    return each.suspicion
